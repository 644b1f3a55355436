"""A stage of the ingest, and the context in which it runs."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import TypeVar

from heimdex.leases import Lease
from heimdex.media.sandbox import iter_sandboxed
from heimdex.media.sandbox_limits import limit_decoding
from videos.ingest.source import SourceFile, decoder_limits
from videos.models import Video

T = TypeVar("T")


@dataclass
class StageContext:
    """A running stage: its video, the file, and the lease under which it writes."""

    video: Video
    lease: Lease
    source: SourceFile

    def progress(self, fraction: float) -> None:
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
        limits = limit_decoding(decoder_limits(), info)
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
