"""The uploaded file, shared by all stages of an ingest."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from django.conf import settings

from heimdex.media.info import MediaInfo, MediaLimits
from heimdex.media.probe import probe
from heimdex.media.sandbox import call_sandboxed
from heimdex.media.sandbox_limits import DecoderLimits, limit_probe
from heimdex.storage import media_storage
from videos.ingest.errors import IngestError

T = TypeVar("T")

FILE_MISSING = "The stored file of this video is missing, so it cannot be processed. Upload it again."


@dataclass
class SourceFile:
    """A stored file. It is fetched and probed once, when a stage first needs it, and released at the end of the block."""

    key: str
    _resources: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._resources.close()

    @cached_property
    def path(self) -> Path:
        """Return a local path of the file. Raise IngestError `file_missing` when the storage has lost it."""
        try:
            return self._resources.enter_context(media_storage().local_path(self.key))
        except FileNotFoundError as error:
            raise IngestError("file_missing", FILE_MISSING) from error

    @cached_property
    def info(self) -> MediaInfo:
        """Return the properties of the file. Raise MediaError when it is not a video or exceeds a limit."""
        limits = MediaLimits(settings.MAX_DURATION_SECONDS, settings.MAX_PIXELS, settings.MAX_FPS, settings.MAX_STREAMS)
        sandbox_limits = limit_probe(decoder_limits(), self.path.stat().st_size)
        return call_sandboxed(probe, self.path, limits, limits=sandbox_limits)

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Enter a context that is left at the end of the block at the latest."""
        return self._resources.enter_context(context)


def decoder_limits() -> DecoderLimits:
    """Return the limits of the process that decodes a file."""
    return DecoderLimits(settings.DECODER_MEMORY_BYTES, settings.DECODER_SECONDS, settings.DECODER_RATIO)
