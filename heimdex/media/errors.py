"""Errors for files that cannot be used as a video or photo: a code for programs and a sentence for the uploader."""

from enum import StrEnum


class MediaErrorCode(StrEnum):
    """The reasons to reject a file."""

    EMPTY_FILE = "empty_file"
    NOT_A_VIDEO = "not_a_video"
    NOT_AN_IMAGE = "not_a_picture"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    NO_VIDEO_STREAM = "no_video_stream"
    STILL_IMAGE = "still_picture"
    CODEC_NOT_ALLOWED = "codec_not_allowed"
    TOO_LONG = "too_long"
    TOO_LARGE_IMAGE = "too_large_picture"
    TOO_MANY_STREAMS = "too_many_streams"
    TOO_MANY_FRAMES = "too_many_frames"
    BROKEN_TIMESTAMPS = "broken_timestamps"
    TOOK_TOO_LONG = "took_too_long"
    NEEDS_TOO_MUCH_MEMORY = "needs_too_much_memory"
    OUTPUT_TOO_LARGE = "output_too_large"
    DECODER_CRASHED = "decoder_crashed"


# The same bytes are rejected again. The other codes depend on limits of the installation, or on a decoder that an update may repair.
PERMANENT = frozenset(
    {
        MediaErrorCode.EMPTY_FILE,
        MediaErrorCode.NOT_A_VIDEO,
        MediaErrorCode.TRUNCATED,
        MediaErrorCode.DAMAGED,
        MediaErrorCode.NO_VIDEO_STREAM,
        MediaErrorCode.STILL_IMAGE,
        MediaErrorCode.CODEC_NOT_ALLOWED,
        MediaErrorCode.BROKEN_TIMESTAMPS,
    }
)


class MediaError(Exception):
    """The file cannot be used. The message is written for its owner."""

    def __init__(self, code: MediaErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
