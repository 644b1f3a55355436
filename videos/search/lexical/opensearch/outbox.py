"""The outbox: changes of scenes whose documents in OpenSearch are to follow."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, Func, Value

from videos.models import Scene, SearchChange, Video
from videos.search.lexical.base import WordChange

_BATCH = 2000


class NextVersion(Func):
    """The next version of a document, from the sequence of the outbox's ids."""

    function = "nextval"
    output_field = BigIntegerField()

    def __init__(self) -> None:
        """Take it from the sequence that PostgreSQL has made for the table."""
        super().__init__(Value(f"{SearchChange._meta.db_table}_id_seq"))


def record(changes: Iterable[WordChange]) -> None:
    """Add changes in the current transaction, which holds the locks of the scenes' videos."""
    rows = (SearchChange(owner_id=change.owner_id, scene_id=change.scene_id) for change in changes)
    SearchChange.objects.bulk_create(rows, batch_size=_BATCH)


def enqueue(scene_ids: Collection[UUID]) -> int:
    """Have the documents of some scenes written again. Return how many scenes; those that do not exist are ignored."""
    with transaction.atomic():
        lock_videos(scene_ids)
        changes = [WordChange(*row) for row in Scene.objects.filter(pk__in=scene_ids).order_by("pk").values_list("owner_id", "pk")]
        record(changes)
    return len(changes)


def enqueue_deletions(changes: Sequence[WordChange]) -> None:
    """Have documents deleted whose scenes do not exist, or not with this owner."""
    with transaction.atomic():
        lock_videos([change.scene_id for change in changes])
        record(changes)


def lock_videos(scene_ids: Collection[UUID]) -> None:
    """Lock the videos of some scenes as those do who write words, so that the ids of a scene's changes rise with its changes."""
    videos = Video.objects.filter(pk__in=Scene.objects.filter(pk__in=scene_ids).values("video"))
    list(videos.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def list_pending(owner_id: UUID, limit: int) -> set[UUID] | None:
    """Return the scenes of an owner whose documents may differ from their words. None if their changes are more than `limit`."""
    changes = SearchChange.objects.filter(owner_id=owner_id).order_by()
    scene_ids = list(changes.values_list("scene_id", flat=True)[: limit + 1])
    return set(scene_ids) if len(scene_ids) <= limit else None
