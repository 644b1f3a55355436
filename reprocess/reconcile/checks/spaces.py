"""Orphan vectors, overdue purges and empty spaces."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from heimdex.accounts.owner import lock_owner
from reprocess.cutover.purge import delete_if_unused, delete_vectors, purge_space, select_purgeable_spaces
from reprocess.planning.targets import TARGET_TYPES
from reprocess.reconcile.base import Check, Finding, IssueType
from reprocess.reconcile.runs import find_runs_by_fingerprint
from reprocess.spec import get_effective_spec
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace

ORPHANS = IssueType(
    "orphan_vectors",
    "rows are in spaces that are neither active, pending nor retired for their owner",
    "deletes them",
    "Run reconcile --repair again.",
)
OVERDUE = IssueType(
    "overdue_spaces",
    "retired spaces should have been purged",
    "purges them",
    "Run manage.py purge_spaces every day.",
)
EMPTY = IssueType(
    "empty_spaces",
    "spaces are empty and unused",
    "deletes them",
    "Run reconcile --repair again.",
)
# A daily purge is up to a day late.
_PURGED_WITHIN = timedelta(days=1)


class Spaces(Check):
    """Rows must be in an active space, in a space that the latest spec or an unfinished run fills, or in a retired space."""

    order = 30
    issue_types = (ORPHANS, OVERDUE, EMPTY)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        pending = get_effective_spec().fingerprints | set(find_runs_by_fingerprint())
        yield from _find_overdue(owner_id)
        yield from _find_orphans(owner_id, pending)
        if owner_id is None:
            yield from _find_empty(pending)


def _find_overdue(owner_id: UUID | None) -> Iterator[Finding]:
    due = select_purgeable_spaces(timezone.now() - timedelta(days=settings.KEEP_RETIRED_DAYS) - _PURGED_WITHIN)
    if owner_id:
        due = due.filter(owner_id=owner_id)
    for retired in due.iterator(chunk_size=500):
        text = f"{retired.owner.email}: {retired.space}, retired {retired.retired_at:%Y-%m-%d}"
        yield Finding(OVERDUE, 1, text, partial(_purge, retired))


def _purge(retired: RetiredSpace) -> int:
    return 1 if purge_space(retired) else 0


def _find_orphans(owner_id: UUID | None, pending: set[str]) -> Iterator[Finding]:
    same_space = {"owner": OuterRef("owner"), "space": OuterRef("space")}
    spaces = {space.pk: space for space in EmbeddingSpace.objects.exclude(fingerprint__in=pending)}
    for target_type in TARGET_TYPES:
        rows = target_type.filter_embeddings(space__in=spaces, **({"owner_id": owner_id} if owner_id else {}))
        rows = rows.filter(~Exists(ActiveSpace.objects.filter(**same_space)), ~Exists(RetiredSpace.objects.filter(**same_space)))
        counts = rows.values("owner_id", "owner__email", "space_id").annotate(rows=Count("pk")).order_by("owner_id")
        for row in counts.iterator(chunk_size=500):
            space = spaces[row["space_id"]]
            yield Finding(ORPHANS, row["rows"], f"{row['owner__email']}: {space}", partial(_delete, row["owner_id"], space, row["rows"]))


def _delete(owner_id: UUID, space: EmbeddingSpace, rows: int) -> int:
    same_space = {"owner_id": owner_id, "space": space}
    with transaction.atomic():
        lock_owner(owner_id)
        if ActiveSpace.objects.filter(**same_space).exists() or RetiredSpace.objects.filter(**same_space).exists():
            return 0
    delete_vectors(owner_id, space)
    delete_if_unused(space)
    return rows


def _find_empty(pending: set[str]) -> Iterator[Finding]:
    same_space = {"space": OuterRef("pk")}
    unused = EmbeddingSpace.objects.exclude(fingerprint__in=pending).filter(
        *(~Exists(target_type.filter_embeddings(**same_space)) for target_type in TARGET_TYPES),
        ~Exists(ActiveSpace.objects.filter(**same_space)),
        ~Exists(RetiredSpace.objects.filter(**same_space)),
    )
    for space in unused:
        yield Finding(EMPTY, 1, str(space), partial(_remove, space))


def _remove(space: EmbeddingSpace) -> int:
    return 1 if delete_if_unused(space) else 0


CHECK = Spaces()
