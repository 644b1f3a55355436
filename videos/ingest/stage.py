"""What a stage is given: its video, its file, and the two ways to report back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import TypeAlias
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from heimdex.leases import hold, renew
from videos.ingest.source import SourceFile
from videos.models import Job, Video


@dataclass
class StageContext:
    """One stage at work on one video, under one lease."""

    video: Video
    token: UUID
    source: SourceFile
    _renewed_at: float = field(default_factory=monotonic)

    @cached_property
    def _renew_every_s(self) -> float:
        return float(settings.LEASE_SECONDS) / 10

    def progress(self, fraction: float) -> None:
        """Report how much of the stage is done (0 to 1) and keep the lease; LeaseLost when another worker has taken over."""
        if monotonic() - self._renewed_at >= self._renew_every_s:
            renew(Job, self.token, progress=min(max(fraction, 0.0), 1.0))
            self._renewed_at = monotonic()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write in one transaction that only the lease's holder can commit; LeaseLost otherwise."""
        with transaction.atomic():
            hold(Job, self.token)
            yield


Stage: TypeAlias = Callable[[StageContext], None]


def stages() -> dict[str, Stage]:
    """Return the stages in order, by name."""
    return {name: import_string(path) for name, path in settings.INGEST_STAGES.items()}
