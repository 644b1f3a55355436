"""Two ONNX files given by path: here those of the default model's package."""

from pathlib import Path

import numpy as np
import pytest

from heimdex.errors import ModelUnavailable
from heimdex.faces.onnx import TEMPLATE, OnnxFaces, align_face
from heimdex.faces.packaged import YuNetSFace
from tests.heimdex.faces.images import load_astronaut
from tests.heimdex.faces.networks import DETECTOR, EMBEDDER


@pytest.mark.parametrize("size", [1.0, 4.0])
def test_a_face_is_rotated_and_scaled_to_the_template(size: float) -> None:
    # A dark image with a bright spot at each of the five points of a template rotated by 90 degrees.
    points = np.column_stack([300 + size * TEMPLATE[:, 1], 900 - size * TEMPLATE[:, 0]])
    image = np.zeros((1000, 1000, 3), dtype=np.uint8)
    radius = max(2, round(2 * size))
    for x, y in points.round().astype(int):
        image[y - radius : y + radius + 1, x - radius : x + radius + 1] = 255
    face = align_face(image, points)
    assert face.shape == (112, 112, 3)
    assert all(face[round(y), round(x), 0] > 150 for x, y in TEMPLATE)
    assert face.mean() < 15


def test_different_files_or_settings_are_different_models() -> None:
    identities = [
        OnnxFaces(str(DETECTOR), str(EMBEDDER)).identity,
        OnnxFaces(str(DETECTOR), str(EMBEDDER), least_confidence=0.9).identity,
        OnnxFaces(str(DETECTOR), str(EMBEDDER), mean=127.5, scale=1 / 127.5).identity,
        OnnxFaces(str(EMBEDDER), str(EMBEDDER)).identity,
    ]
    assert len(set(identities)) == 4
    assert OnnxFaces(str(DETECTOR), str(EMBEDDER), threshold=0.6).identity == identities[0]


def test_a_missing_file_is_reported_with_the_fix() -> None:
    model = OnnxFaces("/absent/yunet.onnx", str(EMBEDDER))
    sentence = 'There is no file /absent/yunet.onnx: correct "detector" of "faces" in HEIMDEX_MODELS, or set HEIMDEX_FACES=off.'
    assert model.check() == [sentence]
    with pytest.raises(ModelUnavailable, match="no file /absent/yunet"):
        model.find_faces([load_astronaut()])
    with pytest.raises(ModelUnavailable, match="no file /absent/yunet"):
        _ = model.identity


def test_an_invalid_network_file_is_reported(tmp_path: Path) -> None:
    broken = tmp_path / "sface.onnx"
    broken.write_bytes(EMBEDDER.read_bytes()[:1000])
    with pytest.raises(ModelUnavailable, match=r'is not a network that OpenCV can read .*correct "detector" and "embedder"'):
        OnnxFaces(str(DETECTOR), str(broken)).find_faces([load_astronaut()])


def test_wrong_dimensions_name_the_setting() -> None:
    with pytest.raises(ModelUnavailable, match='set "dimensions": 128'):
        OnnxFaces(str(DETECTOR), str(EMBEDDER), dimensions=512).find_faces([load_astronaut()])


def test_the_packaged_files_given_by_path_match_the_default_model() -> None:
    ((by_path,),) = OnnxFaces(str(DETECTOR), str(EMBEDDER)).find_faces([load_astronaut()])
    ((packaged,),) = YuNetSFace().find_faces([load_astronaut()])
    assert by_path.box == packaged.box
    assert np.array_equal(by_path.vector, packaged.vector)
