"""Which faces a photo may show."""

import numpy as np
import pytest

from heimdex.faces.base import Box, Face
from people.photos.errors import PhotoRefused
from people.photos.judging import LEAST_SHARPNESS, SMALLEST_SIDE_PX, judge


def face(side_px: int, sharpness: float = 100.0, quality: float = 0.9) -> Face:
    return Face(Box(0.1, 0.1, 0.5, 0.5), quality, side_px, sharpness, np.ones(1, dtype=np.float32))


def code_of(*faces: Face) -> str:
    with pytest.raises(PhotoRefused) as refused:
        judge(faces)
    assert str(refused.value).endswith(".")
    return str(refused.value.code)


def test_one_good_face_is_taken() -> None:
    only = face(200)

    assert judge([only]) is only


def test_small_faces_in_the_background_do_not_matter_however_good_they_are() -> None:
    main = face(200, quality=0.4)

    assert judge([face(100, quality=1.0), main, face(20)]) is main
    assert code_of(face(101), main) == "several_faces"
    assert code_of(main, face(200)) == "several_faces"


def test_what_is_wrong_is_named() -> None:
    assert code_of() == "no_face"
    assert code_of(face(SMALLEST_SIDE_PX - 1)) == "too_small"
    assert code_of(face(200, sharpness=LEAST_SHARPNESS - 0.1)) == "too_blurred"
    assert judge([face(SMALLEST_SIDE_PX, LEAST_SHARPNESS)])


def test_the_sentence_says_how_small_the_face_is() -> None:
    with pytest.raises(PhotoRefused, match="only 31 pixels wide; 60 are needed"):
        judge([face(31)])
