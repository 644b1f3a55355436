"""Vectors that nothing reads, will read or can go back to."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from heimdex.accounts.locks import lock_owner
from reprocess.actions.purge_spaces import due_for_purge, purge, remove_if_unused, remove_vectors
from reprocess.reconcile.base import Check, Finding, Kind
from reprocess.reconcile.under_way import runs_by_fingerprint
from reprocess.spec import effective_spec
from reprocess.subjects import KINDS
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace
from videos.search.indexes import drop_index

ORPHANS = Kind(
    "orphan_vectors",
    "rows lie in spaces that are neither active, coming nor retired for their owner",
    "deletes them",
    "Run reconcile --repair again.",
)
OVERDUE = Kind(
    "overdue_spaces",
    "retired spaces should have been purged",
    "purges them",
    "Run manage.py purge_spaces, every day.",
)
EMPTY = Kind(
    "empty_spaces",
    "spaces hold nothing and nobody uses them",
    "removes them",
    "Run reconcile --repair again.",
)
# A purge that runs once a day is late by as much.
_PURGED_WITHIN = timedelta(days=1)


class Spaces(Check):
    """Compare the rows with what owners' searches read, what the latest spec and unfinished runs fill, and what was retired."""

    order = 30
    kinds = (ORPHANS, OVERDUE, EMPTY)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        coming = effective_spec().fingerprints | set(runs_by_fingerprint())
        yield from _overdue(owner_id)
        yield from _orphans(owner_id, coming)
        if owner_id is None:
            yield from _empty(coming)


def _overdue(owner_id: UUID | None) -> Iterator[Finding]:
    due = due_for_purge(timezone.now() - timedelta(days=settings.KEEP_RETIRED_DAYS) - _PURGED_WITHIN)
    if owner_id:
        due = due.filter(owner_id=owner_id)
    for retired in due.iterator(chunk_size=500):
        text = f"{retired.owner.email}: {retired.space}, retired {retired.retired_at:%Y-%m-%d}"
        yield Finding(OVERDUE, 1, text, partial(_purge, retired))


def _purge(retired: RetiredSpace) -> int:
    return 1 if purge(retired) else 0


def _orphans(owner_id: UUID | None, coming: set[str]) -> Iterator[Finding]:
    use = {"owner": OuterRef("owner"), "space": OuterRef("space")}
    spaces = {space.pk: space for space in EmbeddingSpace.objects.exclude(fingerprint__in=coming)}
    for kind in KINDS:
        rows = kind.rows_of(space__in=spaces, **({"owner_id": owner_id} if owner_id else {}))
        rows = rows.filter(~Exists(ActiveSpace.objects.filter(**use)), ~Exists(RetiredSpace.objects.filter(**use)))
        found = rows.values("owner_id", "owner__email", "space_id").annotate(rows=Count("pk")).order_by("owner_id")
        for row in found.iterator(chunk_size=500):
            space = spaces[row["space_id"]]
            yield Finding(ORPHANS, row["rows"], f"{row['owner__email']}: {space}", partial(_delete, row["owner_id"], space, row["rows"]))


def _delete(owner_id: UUID, space: EmbeddingSpace, rows: int) -> int:
    use = {"owner_id": owner_id, "space": space}
    with transaction.atomic():
        lock_owner(owner_id)
        if ActiveSpace.objects.filter(**use).exists() or RetiredSpace.objects.filter(**use).exists():
            return 0
    remove_vectors(owner_id, space)
    remove_if_unused(space)
    return rows


def _empty(coming: set[str]) -> Iterator[Finding]:
    of_space = {"space": OuterRef("pk")}
    unused = EmbeddingSpace.objects.exclude(fingerprint__in=coming).filter(
        *(~Exists(kind.rows_of(**of_space)) for kind in KINDS),
        ~Exists(ActiveSpace.objects.filter(**of_space)),
        ~Exists(RetiredSpace.objects.filter(**of_space)),
    )
    for space in unused:
        yield Finding(EMPTY, 1, str(space), partial(_remove, space))


def _remove(space: EmbeddingSpace) -> int:
    if space.indexed_at:
        drop_index(space)
    return 1 if remove_if_unused(space) else 0


CHECK = Spaces()
