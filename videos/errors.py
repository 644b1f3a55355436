"""Why a video could not be indexed: codes for programs, beside those of the file itself (`MediaErrorCode`)."""

from enum import StrEnum

from heimdex.media.errors import PERMANENT


class IngestErrorCode(StrEnum):
    """The reasons that are not in the file. A stage that an extension adds may have codes of its own."""

    # The file never arrived. It can only be uploaded again, not retried.
    UPLOAD_EXPIRED = "upload_expired"
    # The file has another size than the upload announced.
    WRONG_SIZE = "wrong_size"
    # The video is longer than the minutes that its owner has left.
    OVER_QUOTA = "over_quota"
    FILE_MISSING = "file_missing"
    TOOK_TOO_LONG = "took_too_long"
    GAVE_UP = "gave_up"
    INTERNAL_ERROR = "internal_error"
    EMBEDDING_FAILED = "embedding_failed"
    STORAGE_FAILED = "storage_failed"
    MODEL_FAILED = "model_failed"
    DISK_FULL = "disk_full"
    DATABASE_FAILED = "database_failed"
    SEARCH_FAILED = "search_failed"


# A retry with the same file cannot succeed. A missing file may come back, for example when its disk is mounted again.
NOT_RETRYABLE = frozenset({IngestErrorCode.UPLOAD_EXPIRED, IngestErrorCode.WRONG_SIZE, *PERMANENT})
