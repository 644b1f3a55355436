"""What a stage is given: its video, its file, and the two ways to report back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from heimdex.leases import HeldRows
from videos.ingest.source import SourceFile
from videos.models import Job, Video


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


Stage: TypeAlias = Callable[[StageContext], None]


def stages() -> dict[str, Stage]:
    """Return the stages in order, by name."""
    return {name: import_string(path) for name, path in settings.INGEST_STAGES.items()}
