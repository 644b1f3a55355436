"""Why a photo cannot be used: a code for programs, a sentence for the person who uploaded it."""

from enum import StrEnum


class PhotoErrorCode(StrEnum):
    """The closed list of reasons."""

    NOT_A_PICTURE = "not_a_picture"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    FILE_MISSING = "file_missing"
    DUPLICATE = "duplicate"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    FACES_OFF = "faces_off"
    GAVE_UP = "gave_up"
    INTERNAL_ERROR = "internal_error"


# What was said of a face: another model may see it otherwise.
JUDGED = frozenset({PhotoErrorCode.NO_FACE, PhotoErrorCode.SEVERAL_FACES, PhotoErrorCode.TOO_SMALL, PhotoErrorCode.TOO_BLURRED})
# No other try can succeed with the same file.
HOPELESS = frozenset({PhotoErrorCode.NOT_A_PICTURE, PhotoErrorCode.DAMAGED, PhotoErrorCode.TOO_LARGE, PhotoErrorCode.FILE_MISSING})


class PhotoRefused(Exception):
    """This photo cannot be used; the message is written for its owner."""

    def __init__(self, code: PhotoErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
