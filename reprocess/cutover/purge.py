"""Delete the vectors of retired spaces. After that, the cutover away from them cannot be rolled back."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from heimdex.accounts.owner import lock_owner
from people.face_store import delete_faces
from people.models import FaceGroup, FaceMatch
from reprocess.planning.targets import get_target_type
from reprocess.spec import get_effective_spec
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace
from videos.search.packing import delete_packed

log = structlog.get_logger(__name__)

_BATCH = 2000


@dataclass(frozen=True)
class PurgedSpace:
    """One owner's deleted rows of a retired space. `space_removed` is true when no other owner used the space."""

    owner: str
    channel: str
    space: str
    model: str
    retired_at: str
    rows: int
    space_removed: bool


def select_purgeable_spaces(before: datetime) -> QuerySet[RetiredSpace]:
    """Return the spaces that were retired before a time, or whose purge was interrupted. The latest spaces are never purged."""
    latest = get_effective_spec().fingerprints
    due = RetiredSpace.objects.filter(Q(retired_at__lt=before) | Q(purge_began_at__isnull=False)).exclude(space__fingerprint__in=latest)
    return due.select_related("owner", "space").order_by("retired_at", "pk")


def preview_purge(retired: RetiredSpace) -> PurgedSpace:
    """Return what a purge would delete."""
    space = retired.space
    unused = not _is_active(space) and not space.retired_for.exclude(owner_id=retired.owner_id).exists()
    return PurgedSpace(
        owner=retired.owner.email,
        channel=space.channel,
        space=str(space.pk),
        model=space.embedder["model"],
        retired_at=retired.retired_at.isoformat(),
        rows=get_target_type(space.channel).filter_embeddings(owner_id=retired.owner_id, space=space).count(),
        space_removed=unused,
    )


def purge_space(retired: RetiredSpace) -> PurgedSpace | None:
    """Delete one owner's vectors of a retired space. Return None when the owner was switched back to it. Call it outside transactions."""
    if not _begin_purge(retired):
        return None
    purged, space = preview_purge(retired), retired.space
    delete_vectors(retired.owner_id, space)
    retired.delete()
    removed = purged.space_removed and delete_if_unused(space)
    log.info("Retired vectors purged", owner_id=str(retired.owner_id), channel=space.channel, space=str(space.pk), rows=purged.rows)
    return replace(purged, space_removed=removed)


def delete_vectors(owner_id: UUID, space: EmbeddingSpace) -> None:
    """Delete an owner's rows of a space that is not active for the owner, in batches. Call it outside transactions."""
    delete_packed([owner_id], space)
    delete_faces(owner_id, space)
    FaceGroup.objects.filter(owner_id=owner_id, space=space).delete()
    FaceMatch.objects.filter(owner_id=owner_id, space=space).delete()
    target_type = get_target_type(space.channel)
    rows = target_type.filter_embeddings(owner_id=owner_id, space=space)
    while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
        target_type.filter_embeddings(pk__in=batch).delete()


def delete_if_unused(space: EmbeddingSpace) -> bool:
    """Delete the space when nothing refers to it. Return False when an owner still uses it."""
    with transaction.atomic():
        locked = EmbeddingSpace.objects.select_for_update().filter(pk=space.pk).first()
        if (
            locked is None
            or _is_active(locked)
            or locked.retired_for.exists()
            or get_target_type(locked.channel).filter_embeddings(space=locked).exists()
        ):
            return False
        locked.delete()
        return True


def _begin_purge(retired: RetiredSpace) -> bool:
    """Mark the space as being purged. Return False when the owner was switched back to it."""
    with transaction.atomic():
        lock_owner(retired.owner_id)
        if ActiveSpace.objects.filter(owner_id=retired.owner_id, space_id=retired.space_id).exists():
            return False
        return bool(RetiredSpace.objects.filter(pk=retired.pk).update(purge_began_at=timezone.now()))


def _is_active(space: EmbeddingSpace) -> bool:
    return ActiveSpace.objects.filter(space=space).exists()
