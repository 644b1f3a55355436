"""A stage of the ingest, the context in which it runs, the file that all stages share, and the error that ends an ingest."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from django.conf import settings

from heimdex.leases import Lease
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.info import MediaInfo, MediaLimits, is_credible
from heimdex.media.probe import probe
from heimdex.media.sandbox import CRASHED, call_sandboxed, iter_sandboxed
from heimdex.media.sandbox_protocol import DecoderLimits, limit_decoding, limit_probe
from heimdex.storage import get_media_storage
from videos.errors import IngestErrorCode
from videos.models import Video

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
            return self._resources.enter_context(get_media_storage().open_local_path(self.key))
        except FileNotFoundError as error:
            raise IngestError(IngestErrorCode.FILE_MISSING, FILE_MISSING) from error

    @cached_property
    def info(self) -> MediaInfo:
        """Return the properties of the file. Raise MediaError when it is not a video or exceeds a limit."""
        limits = MediaLimits(settings.MAX_DURATION_SECONDS, settings.MAX_PIXELS, settings.MAX_FPS, settings.MAX_STREAMS)
        sandbox_limits = limit_probe(get_decoder_limits(), self.path.stat().st_size)
        info = call_sandboxed(probe, self.path, limits, limits=sandbox_limits)
        if not is_credible(info, limits):
            raise MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED)
        return info

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Enter a context that is left at the end of the block at the latest."""
        return self._resources.enter_context(context)


def get_decoder_limits() -> DecoderLimits:
    """Return the limits of the process that decodes a file."""
    return DecoderLimits(settings.DECODER_MEMORY_BYTES, settings.DECODER_SECONDS, settings.DECODER_RATIO)


class IngestError(Exception):
    """The video cannot be indexed. `code` is for programs, the message for its owner."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class StageContext:
    """A running stage: its video, the file, and the lease under which it writes."""

    video: Video
    lease: Lease
    source: SourceFile

    def report_progress(self, fraction: float) -> None:
        """Report the share of the stage that is done (0 to 1) and renew the lease. Raise LeaseLost when another worker has taken over."""
        self.lease.renew_if_due(progress=min(max(fraction, 0.0), 1.0))

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction that only the holder of the lease can commit. Raise LeaseLost when another worker has taken over."""
        return self.lease.transaction()

    def decode(
        self, function: Callable[..., Iterator[T]], on_progress: Callable[[float], None] | None = None, *more: object
    ) -> Generator[T, None, None]:
        """Run a generator of heimdex.media (its arguments are a path, a MediaInfo and `more`) on the file in a sandboxed process.

        The generator's calls of `on_progress` are forwarded to this process. Raise the errors of `iter_sandboxed`, and
        LeaseLost when another worker has taken over. The sandbox ends with the iteration, at the latest with this ingest.
        """
        info = self.source.info
        limits = limit_decoding(get_decoder_limits(), info)
        items = iter_sandboxed(
            function, self.source.path, info, *more, limits=limits, on_progress=on_progress, check=self.lease.renew_if_due
        )
        return self.source.enter(closing(items))


@dataclass(frozen=True)
class Stage:
    """One stage of the ingest.

    `order` sorts the stages; leave gaps between the numbers. Owners read `label` while the stage runs. `weight` is the stage's approximate
    share of the total time on a CPU.
    """

    name: str
    order: int
    label: str
    run: Callable[[StageContext], None]
    weight: float = 1
