"""dlib's detectors and its network, with the packaged weights."""

from unittest import mock

import pytest

from heimdex.errors import ModelUnavailable
from heimdex.faces import dlib
from heimdex.faces.dlib import DlibFaces
from tests.heimdex.faces.conformance import FaceConformance
from tests.heimdex.faces.images import FACE, load_astronaut, shrink_astronaut, tilt_astronaut


class TestHog(FaceConformance):
    model = DlibFaces()


def test_the_cnn_detector_finds_a_head_that_lies_on_its_side() -> None:
    hog, cnn = DlibFaces(), DlibFaces(detector="cnn", upsample=0)
    assert hog.find_faces([tilt_astronaut(60)]) == [[]]
    ((lying,),), ((upright,),) = cnn.find_faces([tilt_astronaut(60)]), hog.find_faces([load_astronaut()])
    assert float(lying.vector @ upright.vector) >= cnn.calibration.threshold


def test_each_doubling_finds_faces_of_half_the_size() -> None:
    frame = shrink_astronaut(0.3).crop((500, 220, 780, 500))
    assert DlibFaces(upsample=1).find_faces([frame]) == [[]]
    ((face,),) = DlibFaces(upsample=2).find_faces([frame])
    assert 20 <= face.side_px <= 45


def test_detection_settings_are_part_of_the_identity() -> None:
    identities = {DlibFaces(detector, upsample).identity for detector in ("hog", "cnn") for upsample in (0, 1)}
    assert len(identities) == 4
    assert {identity.model for identity in identities} == {"dlib_face_recognition_resnet_model_v1"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"detector": "haar"}, r'Unknown face detector \'haar\': set "detector" of "faces" in HEIMDEX_MODELS to hog or cnn'),
        ({"upsample": 9}, r'set "upsample" of "faces" in HEIMDEX_MODELS to 0, 1, 2 or 3'),
    ],
)
def test_a_wrong_option_is_reported_with_the_fix(options: dict[str, object], sentence: str) -> None:
    model = DlibFaces(**options)  # type: ignore[arg-type]
    with pytest.raises(ModelUnavailable, match=sentence):
        model.find_faces([load_astronaut()])


def test_missing_packages_are_reported_with_the_fix() -> None:
    with mock.patch.object(dlib, "WEIGHTS", "absent_weights"):
        (problem,) = DlibFaces().check()
    assert "absent_weights 0.3.0, but none is installed: install requirements/dlib.txt, or leave" in problem


def test_the_box_covers_the_face_and_not_the_head() -> None:
    ((face,),) = DlibFaces().find_faces([load_astronaut()])
    assert face.box.compute_overlap(FACE) > 0.7
