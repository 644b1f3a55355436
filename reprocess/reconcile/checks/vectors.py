"""Missing and stale rows in active spaces: every target needs a row (embedded, empty or failed) of its current input."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from uuid import UUID

from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q

from reprocess.planning.targets import SCENES, get_target_type
from reprocess.reconcile.base import Check, Finding, IssueType
from reprocess.reconcile.runs import backfill, find_runs_by_fingerprint, has_open_item, has_open_people_item
from videos.models import ActiveSpace, EmbeddingSpace

_MANUAL_FIX = "The step or model of the space is no longer available. Run reprocess_embeddings and cut over to the latest spaces."
MISSING = IssueType(
    "missing_vectors",
    "rows are missing in spaces that an owner's search reads",
    "queues a run that computes them",
    _MANUAL_FIX,
)
STALE = IssueType(
    "stale_vectors",
    "rows in spaces that search reads were computed from an older input",
    "queues a run that recomputes them",
    _MANUAL_FIX,
)


@dataclass(frozen=True)
class SpaceGap:
    """The targets of one owner whose row in one space is missing or stale."""

    owner_id: UUID
    email: str
    space: EmbeddingSpace
    missing: int
    stale: int


@dataclass(frozen=True)
class OwnerGaps:
    """All gaps of one owner. The repair of any finding queues the runs for all gaps."""

    gaps: tuple[SpaceGap, ...]

    def list_findings(self) -> Iterator[Finding]:
        """Yield a finding for missing rows and one for stale rows."""
        for issue_type, name in ((MISSING, "missing"), (STALE, "stale")):
            numbers = {gap.space.channel: getattr(gap, name) for gap in self.gaps if getattr(gap, name)}
            if numbers:
                words = ", ".join(f"{number} {channel}" for channel, number in numbers.items())
                yield Finding(issue_type, sum(numbers.values()), f"{self.gaps[0].email}: {words}", partial(self._repair, numbers))

    def _repair(self, numbers: dict[str, int]) -> int:
        return sum(number for channel, number in numbers.items() if channel in self._filled_channels)

    @cached_property
    def _filled_channels(self) -> set[str]:
        return backfill(self.gaps[0].owner_id, [gap.space for gap in self.gaps])


class Vectors(Check):
    """One SQL statement per space, for any number of owners."""

    order = 20
    issue_types = (MISSING, STALE)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        # Read once, so that a run that the repair of one owner has queued does not hide the gaps of other owners.
        runs = find_runs_by_fingerprint()
        active = EmbeddingSpace.objects.filter(Exists(ActiveSpace.objects.filter(space=OuterRef("pk"))))
        streams = [_find_gaps(space, owner_id, runs.get(space.fingerprint, [])) for space in active]
        for _, gaps in groupby(heapq.merge(*streams, key=lambda gap: gap.owner_id), key=lambda gap: gap.owner_id):
            yield from OwnerGaps(tuple(gaps)).list_findings()


def _find_gaps(space: EmbeddingSpace, owner_id: UUID | None, run_ids: Iterable[UUID]) -> Iterator[SpaceGap]:
    """Yield the gap of each owner whose search reads a space, in the order of the owners' ids."""
    is_active = ActiveSpace.objects.filter(owner=OuterRef("owner"), space=space)
    target_type = get_target_type(space.channel)
    is_in_progress = has_open_item(run_ids, video="video") if target_type is SCENES else has_open_people_item(run_ids)
    rows = (
        target_type.select_searchable(owner_id)
        .filter(Exists(is_active), ~is_in_progress)
        .annotate(
            row=FilteredRelation("embeddings", condition=Q(embeddings__space=space)),
            current=FilteredRelation("inputs", condition=Q(inputs__channel=space.channel)),
        )
        .values("owner_id", "owner__email")
        .annotate(
            missing=Count("pk", filter=Q(row__id__isnull=True)),
            stale=Count("pk", filter=Q(row__id__isnull=False) & (Q(current__id__isnull=True) | ~Q(row__input_hash=F("current__hash")))),
        )
        .filter(Q(missing__gt=0) | Q(stale__gt=0))
        .order_by("owner_id")
    )
    for row in rows.iterator(chunk_size=500):
        yield SpaceGap(row["owner_id"], row["owner__email"], space, row["missing"], row["stale"])


CHECK = Vectors()
