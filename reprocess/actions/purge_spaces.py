"""Remove the vectors of retired spaces: from then on the switch away from them cannot be undone."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from heimdex.accounts.locks import lock_owner
from people.faces import remove_faces
from people.models import FaceGroup, FaceMatch
from reprocess.spec import effective_spec
from reprocess.subjects import kind_of
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace
from videos.search.indexes import drop_index

log = structlog.get_logger(__name__)

_BATCH = 2000


@dataclass(frozen=True)
class Purged:
    """One owner's rows of one retired space; `space_removed` says that no owner used it any more."""

    owner: str
    channel: str
    space: str
    model: str
    retired_at: str
    rows: int
    space_removed: bool

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


def purge_spaces(older_than: timedelta, *, dry_run: bool) -> list[Purged]:
    """Remove what owners' searches have not read for longer than `older_than`; with `dry_run` say only what would be removed.

    The latest spaces stay, also those that an owner was rolled back from: they are what the next switch leads to. A purge that
    was cut off goes on where it stopped. Call it outside transactions.
    """
    due = due_for_purge(timezone.now() - older_than)
    return [entry for retired in due if (entry := describe(retired) if dry_run else purge(retired))]


def due_for_purge(before: datetime) -> QuerySet[RetiredSpace]:
    """Return what was retired before a moment, and purges that were cut off; the latest spaces are never due."""
    latest = effective_spec().fingerprints
    due = RetiredSpace.objects.filter(Q(retired_at__lt=before) | Q(purge_began_at__isnull=False)).exclude(space__fingerprint__in=latest)
    return due.select_related("owner", "space").order_by("retired_at", "pk")


def describe(retired: RetiredSpace) -> Purged:
    """Return what purging would remove."""
    space = retired.space
    unused = not _read(space) and not space.retired_for.exclude(owner_id=retired.owner_id).exists()
    return Purged(
        owner=retired.owner.email,
        channel=space.channel,
        space=str(space.pk),
        model=space.embedder["model"],
        retired_at=retired.retired_at.isoformat(),
        rows=kind_of(space.channel).rows_of(owner_id=retired.owner_id, space=space).count(),
        space_removed=unused,
    )


def purge(retired: RetiredSpace) -> Purged | None:
    """Remove one owner's vectors of one retired space; None when the owner was switched back to it. Call it outside transactions."""
    if not _begin(retired):
        return None
    purged, space = describe(retired), retired.space
    remove_vectors(retired.owner_id, space)
    retired.delete()
    removed = purged.space_removed and remove_if_unused(space)
    log.info("Retired vectors purged", owner_id=str(retired.owner_id), channel=space.channel, space=str(space.pk), rows=purged.rows)
    return replace(purged, space_removed=removed)


def remove_vectors(owner_id: UUID, space: EmbeddingSpace) -> None:
    """Delete an owner's rows of a space that the owner's search does not read, in batches. Call it outside transactions."""
    if space.indexed_at and not _read(space):
        # Dropped before it is emptied: an index full of dead vectors makes every search through it slow.
        drop_index(space)
    remove_faces(owner_id, space)
    FaceGroup.objects.filter(owner_id=owner_id, space=space).delete()
    FaceMatch.objects.filter(owner_id=owner_id, space=space).delete()
    kind = kind_of(space.channel)
    rows = kind.rows_of(owner_id=owner_id, space=space)
    while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
        kind.rows_of(pk__in=batch).delete()


def remove_if_unused(space: EmbeddingSpace) -> bool:
    """Delete the space's row when nothing refers to it; False when an owner uses it after all."""
    with transaction.atomic():
        locked = EmbeddingSpace.objects.select_for_update().filter(pk=space.pk).first()
        if locked is None or _read(locked) or locked.retired_for.exists() or kind_of(locked.channel).rows_of(space=locked).exists():
            return False
        locked.delete()
        return True


def _begin(retired: RetiredSpace) -> bool:
    """Close the way back; False when the owner was switched back a moment ago."""
    with transaction.atomic():
        lock_owner(retired.owner_id)
        if ActiveSpace.objects.filter(owner_id=retired.owner_id, space_id=retired.space_id).exists():
            return False
        return bool(RetiredSpace.objects.filter(pk=retired.pk).update(purge_began_at=timezone.now()))


def _read(space: EmbeddingSpace) -> bool:
    return ActiveSpace.objects.filter(space=space).exists()
