"""Remove the vectors of retired spaces: from then on the switch away from them cannot be undone."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from reprocess.cutover.switch import lock_owner
from reprocess.spec import effective_spec
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace, SceneEmbedding
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
    return [_purge(retired, dry_run=dry_run) for retired in _due(timezone.now() - older_than) if dry_run or _begin(retired)]


def _due(before: datetime) -> QuerySet[RetiredSpace]:
    latest = {configured.fingerprint(channel) for configured, channel in effective_spec().channels()}
    due = RetiredSpace.objects.filter(Q(retired_at__lt=before) | Q(purge_began_at__isnull=False)).exclude(space__fingerprint__in=latest)
    return due.select_related("owner", "space").order_by("retired_at", "pk")


def _begin(retired: RetiredSpace) -> bool:
    """Close the way back; False when the owner was switched back a moment ago."""
    with transaction.atomic():
        lock_owner(retired.owner_id)
        if ActiveSpace.objects.filter(owner_id=retired.owner_id, space_id=retired.space_id).exists():
            return False
        return bool(RetiredSpace.objects.filter(pk=retired.pk).update(purge_began_at=timezone.now()))


def _purge(retired: RetiredSpace, *, dry_run: bool) -> Purged:
    space = retired.space
    rows = SceneEmbedding.objects.filter(owner_id=retired.owner_id, space=space)
    count = rows.count()
    unused = not _read(space) and not space.retired_for.exclude(owner_id=retired.owner_id).exists()
    if not dry_run:
        if space.indexed_at and not _read(space):
            # Dropped before it is emptied: an index full of dead vectors makes every search through it slow.
            drop_index(space)
        while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
            SceneEmbedding.objects.filter(pk__in=batch).delete()
        retired.delete()
        unused = unused and _remove_unused(space)
        log.info("Retired vectors purged", owner_id=str(retired.owner_id), channel=space.channel, space=str(space.pk), rows=count)
    return Purged(
        owner=retired.owner.email,
        channel=space.channel,
        space=str(space.pk),
        model=space.embedder["model"],
        retired_at=retired.retired_at.isoformat(),
        rows=count,
        space_removed=unused,
    )


def _read(space: EmbeddingSpace) -> bool:
    return ActiveSpace.objects.filter(space=space).exists()


def _remove_unused(space: EmbeddingSpace) -> bool:
    """Delete the space's row when nothing refers to it; False when an owner uses it after all."""
    with transaction.atomic():
        locked = EmbeddingSpace.objects.select_for_update().filter(pk=space.pk).first()
        if locked is None or _read(locked) or locked.retired_for.exists() or locked.embeddings.exists():
            return False
        locked.delete()
        return True
