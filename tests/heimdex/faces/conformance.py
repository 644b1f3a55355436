"""The contract of every face model; a test class per model inherits it."""

import io
import threading
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from heimdex.errors import InputsRejected, ModelInputError
from heimdex.faces.base import Face, FaceModel
from tests.heimdex.faces.images import (
    FACE,
    blur_astronaut,
    duplicate_astronaut,
    load_astronaut,
    load_image,
    shrink_astronaut,
    tilt_astronaut,
)


class FaceConformance:
    """Subclass with `model`, one instance for all tests."""

    model: FaceModel

    def find_one(self, image: Image.Image) -> Face:
        ((face,),) = self.model.find_faces([image])
        return face

    def compare_with_astronaut(self, image: Image.Image) -> float:
        return float(self.find_one(image).vector @ self.find_one(load_astronaut()).vector)

    def test_it_has_an_identity_and_no_problems(self) -> None:
        assert self.model.check() == []
        identity = self.model.identity
        assert identity.backend
        assert identity.revision
        assert self.model.similarity_floor == self.model.calibration.threshold

    def test_a_face_is_located(self) -> None:
        face = self.find_one(load_astronaut())
        assert face.box.compute_overlap(FACE) > 0.5
        assert 80 <= face.side_px <= 150
        assert face.vector.shape == (self.model.identity.dimensions,)
        assert face.vector.dtype == np.float32
        assert np.linalg.norm(face.vector) == pytest.approx(1, abs=1e-5)
        assert 0.5 < face.quality <= 1

    def test_a_box_is_independent_of_the_image_size_and_the_side_is_in_its_pixels(self) -> None:
        face = self.find_one(load_astronaut())
        large = self.find_one(load_astronaut().resize((2560, 2560)))
        assert large.box.compute_overlap(face.box) > 0.75
        assert large.side_px == pytest.approx(5 * face.side_px, rel=0.2)

    def test_no_face_is_found_in_an_image_without_one(self) -> None:
        images = [load_image("coffee.jpg"), load_image("chelsea.jpg"), load_image("rocket.jpg"), Image.new("RGB", (640, 360), "white")]
        assert self.model.find_faces(images) == [[], [], [], []]

    @pytest.mark.parametrize("factor", [1.4, 0.7, 0.5])
    def test_a_person_matches_at_any_size(self, factor: float) -> None:
        assert self.compare_with_astronaut(shrink_astronaut(factor)) >= self.model.calibration.threshold

    @pytest.mark.parametrize("degrees", [-15, 15])
    def test_a_person_matches_with_a_tilted_head(self, degrees: float) -> None:
        assert self.compare_with_astronaut(tilt_astronaut(degrees)) >= self.model.calibration.threshold

    def test_a_person_matches_in_a_poor_copy(self) -> None:
        buffer = io.BytesIO()
        load_astronaut().save(buffer, "JPEG", quality=25)
        assert self.compare_with_astronaut(Image.open(buffer)) >= self.model.calibration.threshold
        assert self.compare_with_astronaut(load_astronaut().convert("L")) >= self.model.calibration.threshold

    def test_a_blurred_face_is_less_sharp_and_a_worse_view(self) -> None:
        views = [self.find_one(image) for image in (load_astronaut(), blur_astronaut(1.5), blur_astronaut(2.25))]
        for better, worse in pairwise(views):
            assert worse.sharpness < better.sharpness / 1.5
            assert worse.quality <= better.quality
        assert views[-1].quality < views[0].quality / 2

    def test_a_small_face_is_a_worse_view(self) -> None:
        assert self.find_one(shrink_astronaut(0.5)).quality < self.find_one(shrink_astronaut(1)).quality

    def test_all_faces_of_an_image_are_found_and_the_best_view_comes_first(self) -> None:
        ((first, second),) = self.model.find_faces([duplicate_astronaut()])
        assert first.quality >= second.quality
        assert sorted(face.box.left > 0.5 for face in (first, second)) == [False, True]
        assert first.box.compute_overlap(second.box) == 0
        assert float(first.vector @ second.vector) >= self.model.calibration.threshold

    def test_a_face_that_is_cut_off_stays_within_the_image(self) -> None:
        for face in self.model.find_faces([load_astronaut().crop((0, 85, 400, 512))])[0]:
            assert 0 <= face.box.left < face.box.right <= 1
            assert 0 <= face.box.top < face.box.bottom <= 1

    def test_neither_position_nor_batch_changes_an_answer_and_each_image_is_one_call(self) -> None:
        images = [load_image("coffee.jpg"), load_astronaut(), shrink_astronaut(0.7)]
        before = self.model.calls
        together = self.model.find_faces(images)
        assert self.model.calls - before == 3
        alone = [self.model.find_faces([image])[0] for image in reversed(images)][::-1]
        assert [len(faces) for faces in together] == [0, 1, 1]
        for faces, same in zip(together, alone, strict=True):
            assert [face.box for face in faces] == [face.box for face in same]
            assert all(np.array_equal(face.vector, other.vector) for face, other in zip(faces, same, strict=True))
        before = self.model.calls
        assert self.model.find_faces([]) == []
        assert self.model.calls == before

    @pytest.mark.parametrize(("mode", "size"), [("RGBA", (640, 20)), ("L", (1, 1)), ("P", (33, 21)), ("CMYK", (64, 64)), ("1", (5, 900))])
    def test_unusual_images_are_accepted(self, mode: str, size: tuple[int, int]) -> None:
        (faces,) = self.model.find_faces([load_astronaut().resize(size).convert(mode)])
        assert all(0 <= face.quality <= 1 and face.side_px >= 1 for face in faces)

    def test_an_undecodable_image_is_reported(self) -> None:
        buffer = io.BytesIO()
        load_astronaut().save(buffer, "PNG")
        broken = Image.open(io.BytesIO(buffer.getvalue()[:5000]))
        with pytest.raises(ModelInputError, match=r"cannot be decoded .*replace its file"):
            self.model.find_faces([broken])

    def test_a_text_is_rejected(self) -> None:
        with pytest.raises(InputsRejected, match="search for a person"):
            self.model.embed_queries(["an astronaut"])

    def test_threads_can_share_it(self) -> None:
        expected = self.find_one(load_astronaut()).vector
        faces_found: list[Face] = []
        threads = [threading.Thread(target=lambda: faces_found.append(self.find_one(load_astronaut()))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [np.array_equal(face.vector, expected) for face in faces_found] == [True, True]

    def test_the_calibration_rises_with_the_similarity(self) -> None:
        calibration = self.model.calibration
        assert calibration.estimate_probability(1) > calibration.estimate_probability(calibration.threshold) >= 0.5
        assert calibration.estimate_probability(calibration.threshold) < 0.95
        assert calibration.estimate_probability(0) < 0.05
