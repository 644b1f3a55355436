"""What scenes, photos and people have in the spaces that search reads: embedded + empty + listed failures, none of an older input."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from uuid import UUID

from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q

from reprocess.reconcile.base import Check, Finding, Kind
from reprocess.reconcile.refill import refill
from reprocess.reconcile.under_way import open_items, people_items, runs_by_fingerprint
from reprocess.subjects import SCENES, kind_of
from videos.models import ActiveSpace, EmbeddingSpace

_BY_HAND = "The step or model that filled the space cannot be had any more: run reprocess_embeddings and cut over to the latest spaces."
MISSING = Kind(
    "missing_vectors",
    "rows are missing in spaces that an owner's search reads",
    "queues a run that computes them",
    _BY_HAND,
)
STALE = Kind(
    "stale_vectors",
    "rows in spaces that search reads were made from another input than there is now",
    "queues a run that computes them anew",
    _BY_HAND,
)


@dataclass(frozen=True)
class Lack:
    """What one owner lacks in one space."""

    owner_id: UUID
    email: str
    space: EmbeddingSpace
    missing: int
    stale: int


@dataclass(frozen=True)
class OwnerLacks:
    """All that one owner lacks; mended once, whichever finding asks first."""

    lacks: tuple[Lack, ...]

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for what is missing and one for what is stale."""
        for kind, name in ((MISSING, "missing"), (STALE, "stale")):
            numbers = {lack.space.channel: getattr(lack, name) for lack in self.lacks if getattr(lack, name)}
            if numbers:
                words = ", ".join(f"{number} {channel}" for channel, number in numbers.items())
                yield Finding(kind, sum(numbers.values()), f"{self.lacks[0].email}: {words}", partial(self._mend, numbers))

    def _mend(self, numbers: dict[str, int]) -> int:
        return sum(number for channel, number in numbers.items() if channel in self._refilled)

    @cached_property
    def _refilled(self) -> set[str]:
        return refill(self.lacks[0].owner_id, [lack.space for lack in self.lacks])


class Vectors(Check):
    """One statement per space, whatever the number of owners."""

    order = 20
    kinds = (MISSING, STALE)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        # Read once, so that a run which the repair of one owner queues does not hide what the next statement finds.
        runs = runs_by_fingerprint()
        read = EmbeddingSpace.objects.filter(Exists(ActiveSpace.objects.filter(space=OuterRef("pk"))))
        streams = [_lacks(space, owner_id, runs.get(space.fingerprint, [])) for space in read]
        for _, lacks in groupby(heapq.merge(*streams, key=lambda lack: lack.owner_id), key=lambda lack: lack.owner_id):
            yield from OwnerLacks(tuple(lacks)).findings()


def _lacks(space: EmbeddingSpace, owner_id: UUID | None, filled_by: Iterable[UUID]) -> Iterator[Lack]:
    """Yield what each owner who reads a space lacks in it, in the order of the owners."""
    reads = ActiveSpace.objects.filter(owner=OuterRef("owner"), space=space)
    kind = kind_of(space.channel)
    under_way = open_items(filled_by, video="video") if kind is SCENES else people_items(filled_by)
    rows = (
        kind.searchable(owner_id)
        .filter(Exists(reads), ~under_way)
        .annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space=space)))
        .values("owner_id", "owner__email")
        .annotate(
            missing=Count("pk", filter=Q(held__id__isnull=True)),
            stale=Count("pk", filter=Q(held__id__isnull=False) & ~Q(held__input_hash=F(f"{space.channel}_hash"))),
        )
        .filter(Q(missing__gt=0) | Q(stale__gt=0))
        .order_by("owner_id")
    )
    for row in rows.iterator(chunk_size=500):
        yield Lack(row["owner_id"], row["owner__email"], space, row["missing"], row["stale"])


CHECK = Vectors()
