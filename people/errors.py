"""Why a photo cannot be used: a code for programs and a sentence for its owner."""

from enum import StrEnum


class PhotoErrorCode(StrEnum):
    """Every reason that the API reports."""

    NOT_AN_IMAGE = "not_a_picture"
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
    STORAGE_FAILED = "storage_failed"
    MODEL_FAILED = "model_failed"
    DISK_FULL = "disk_full"


# Reasons of the quality check. Another face model may decide otherwise.
QUALITY_ERRORS = frozenset({PhotoErrorCode.NO_FACE, PhotoErrorCode.SEVERAL_FACES, PhotoErrorCode.TOO_SMALL, PhotoErrorCode.TOO_BLURRED})
# A retry with the same file cannot succeed. When another face model is activated, its run checks the quality again.
NOT_RETRYABLE = QUALITY_ERRORS | {
    PhotoErrorCode.NOT_AN_IMAGE,
    PhotoErrorCode.DAMAGED,
    PhotoErrorCode.TOO_LARGE,
    PhotoErrorCode.FILE_MISSING,
    PhotoErrorCode.DUPLICATE,
}


class PhotoRejected(Exception):
    """A photo cannot be used. The message is a sentence for its owner."""

    def __init__(self, code: PhotoErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
