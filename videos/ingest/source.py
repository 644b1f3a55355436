"""The uploaded file, as all stages of one ingest see it."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from django.conf import settings

from heimdex.media.bounds import Allowance, bounds_of_probe
from heimdex.media.info import MediaInfo, MediaLimits
from heimdex.media.probe import probe
from heimdex.media.sandbox import sandboxed_call
from heimdex.storage import media_storage
from videos.ingest.errors import IngestError

T = TypeVar("T")

GONE = "The stored file of this video is gone, so it cannot be processed. Upload it again."


@dataclass
class SourceFile:
    """A stored file, brought to this machine and probed once, when a stage first asks; leaving the block lets it go."""

    key: str
    _opened: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    @cached_property
    def path(self) -> Path:
        """Return where the file can be read; IngestError `file_missing` when the storage has lost it."""
        try:
            return self._opened.enter_context(media_storage().local_path(self.key))
        except FileNotFoundError as error:
            raise IngestError("file_missing", GONE) from error

    @cached_property
    def info(self) -> MediaInfo:
        """Return what the file holds; MediaError when it is no video or beyond a limit."""
        limits = MediaLimits(settings.MAX_DURATION_SECONDS, settings.MAX_PIXELS, settings.MAX_FPS, settings.MAX_STREAMS)
        bounds = bounds_of_probe(allowance(), self.path.stat().st_size)
        return sandboxed_call(probe, self.path, limits, bounds=bounds)

    def keep(self, opened: AbstractContextManager[T]) -> T:
        """Enter what must be left with this file, at the latest."""
        return self._opened.enter_context(opened)


def allowance() -> Allowance:
    """Return what this installation grants the process that decodes a file."""
    return Allowance(settings.DECODER_MEMORY_BYTES, settings.DECODER_SECONDS, settings.DECODER_RATIO)
