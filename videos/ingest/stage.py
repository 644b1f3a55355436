"""What a stage is given: its video, its file, and the two ways to report back."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from heimdex.leases import HeldRows
from heimdex.media.bounds import bounds_of_reading
from heimdex.media.sandbox import sandboxed
from videos.ingest.source import SourceFile, allowance
from videos.models import Job, Video

T = TypeVar("T")


@dataclass
class StageContext:
    """One stage at work on one video, under one lease."""

    video: Video
    token: UUID
    source: SourceFile
    _held: HeldRows = field(init=False)

    def __post_init__(self) -> None:
        self._held = HeldRows(Job, self.token)

    def progress(self, fraction: float) -> None:
        """Report how much of the stage is done (0 to 1) and keep the lease; LeaseLost when another worker has taken over."""
        self._held.keep(progress=min(max(fraction, 0.0), 1.0))

    def writing(self) -> AbstractContextManager[None]:
        """Write in one transaction that only the lease's holder can commit; LeaseLost otherwise."""
        return self._held.writing()

    def decoded(
        self, function: Callable[..., Iterator[T]], on_progress: Callable[[float], None] | None = None, *more: object
    ) -> Generator[T, None, None]:
        """Yield what a generator of heimdex.media (of a path, a MediaInfo and `more`) finds in the file, decoded in a process of its own.

        `on_progress` is given to the generator and called here. Raises what `heimdex.media.sandbox.sandboxed` raises, and LeaseLost as
        soon as another worker has taken over; the process ends with the iteration, and at the latest with this ingest.
        """
        info = self.source.info
        bounds = bounds_of_reading(allowance(), info)
        items = sandboxed(function, self.source.path, info, *more, bounds=bounds, on_progress=on_progress, check=self._held.keep)
        return self.source.keep(closing(items))


Stage: TypeAlias = Callable[[StageContext], None]


def stages() -> dict[str, Stage]:
    """Return the stages in order, by name."""
    return {name: import_string(path) for name, path in settings.INGEST_STAGES.items()}
