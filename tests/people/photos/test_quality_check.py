"""Which photos are good enough."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from heimdex.faces.base import Box, Face
from heimdex.faces.packaged import YuNetSFace
from people.errors import PhotoRejected
from people.photos.quality_check import MIN_SHARPNESS, MIN_SIDE_PX, check_quality

ROOT = Path(__file__).resolve().parents[3]


def make_face(side_px: int, sharpness: float = 100.0, quality: float = 0.9) -> Face:
    return Face(Box(0.1, 0.1, 0.5, 0.5), quality, side_px, sharpness, np.ones(1, dtype=np.float32))


def reject(*faces: Face) -> str:
    with pytest.raises(PhotoRejected) as refused:
        check_quality(faces)
    assert str(refused.value).endswith(".")
    return str(refused.value.code)


def test_one_good_face_is_accepted() -> None:
    only = make_face(200)

    assert check_quality([only]) is only


def test_small_background_faces_do_not_matter_at_any_quality() -> None:
    main = make_face(200, quality=0.4)

    assert check_quality([make_face(100, quality=1.0), main, make_face(20)]) is main
    assert reject(make_face(101), main) == "several_faces"
    assert reject(main, make_face(200)) == "several_faces"
    assert reject(main, make_face(20), make_face(150)) == "several_faces"


def test_doubtful_detections_do_not_count_beside_a_good_face() -> None:
    main = make_face(91, quality=0.91)

    assert check_quality([main, make_face(90, quality=0.18), make_face(120, quality=0.02)]) is main
    assert reject(main, make_face(90, quality=0.31)) == "several_faces"
    # When all are doubtful, the problem of the best one is reported.
    assert reject(make_face(91, sharpness=3.0, quality=0.15)) == "too_blurred"


def test_each_problem_has_its_code() -> None:
    assert reject() == "no_face"
    assert reject(make_face(MIN_SIDE_PX - 1)) == "too_small"
    assert reject(make_face(200, sharpness=MIN_SHARPNESS - 0.1)) == "too_blurred"
    assert check_quality([make_face(MIN_SIDE_PX, MIN_SHARPNESS)])


def test_the_limits_are_the_measured_ones() -> None:
    assert (reject(make_face(39)), check_quality([make_face(40)]).side_px) == ("too_small", 40)
    assert (reject(make_face(200, sharpness=5.9)), check_quality([make_face(200, sharpness=6.0)]).sharpness) == ("too_blurred", 6.0)
    # A third of the best quality is enough to count as a second face.
    main = make_face(200, quality=0.9)
    assert reject(main, make_face(150, quality=0.3)) == "several_faces"
    assert check_quality([main, make_face(150, quality=0.29)]) is main


def test_the_better_of_two_equally_large_faces_comes_first() -> None:
    # Both count, so the photo is rejected; a doubtful twin is not.
    assert reject(make_face(200), make_face(200, quality=0.8)) == "several_faces"
    better = make_face(200, quality=0.9)
    assert check_quality([make_face(200, quality=0.1), better]) is better


def test_the_message_names_the_size_of_the_face() -> None:
    with pytest.raises(PhotoRejected, match="only 31 pixels wide; at least 40 are needed"):
        check_quality([make_face(31)])


def test_a_real_photo_is_accepted_and_its_damaged_copies_are_rejected() -> None:
    model = YuNetSFace()
    astronaut = Image.open(ROOT / "demo/assets/astronaut.jpg").convert("RGB")

    def find_faces(image: Image.Image) -> list[Face]:
        return model.find_faces([image])[0]

    assert check_quality(find_faces(astronaut)).side_px == pytest.approx(91, abs=10)
    assert reject(*find_faces(astronaut.resize((200, 200)))) == "too_small"
    assert reject(*find_faces(astronaut.filter(ImageFilter.GaussianBlur(2.5)))) == "too_blurred"
    beside = Image.new("RGB", (1024, 512))
    beside.paste(astronaut, (0, 0))
    beside.paste(astronaut, (512, 0))
    assert reject(*find_faces(beside)) == "several_faces"
    assert reject(*find_faces(Image.open(ROOT / "demo/assets/coffee.jpg"))) == "no_face"
