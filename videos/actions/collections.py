"""Create and edit an owner's collections, and add videos to them or remove them."""

from collections.abc import Collection as Ids
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.errors import Refused
from videos.actions.labels import clean_label, refuse_taken
from videos.models import CollectedVideo, Collection, Video
from videos.models.collection import COLLECTION_NAME_MAX_LENGTH

MAX_COLLECTIONS = 1000
MAX_VIDEOS = 10_000
TAKEN = "You already have a collection named {name}."
TOO_MANY = f"You can have at most {MAX_COLLECTIONS} collections. Delete some that you no longer need."
TOO_MANY_VIDEOS = f"A collection can have at most {MAX_VIDEOS} videos. Use another collection for these."


def create_collection(owner: User, name: str, description: str = "") -> Collection:
    """Create an empty collection. Raise Refused for an invalid name, one that is taken, or too many collections."""
    name = clean_label(name, COLLECTION_NAME_MAX_LENGTH)
    with transaction.atomic():
        lock_owner(owner.pk)
        refuse_taken(Collection.objects.filter(owner=owner), name, TAKEN)
        if Collection.objects.filter(owner=owner).count() >= MAX_COLLECTIONS:
            raise Refused(TOO_MANY)
        return Collection.objects.create(owner=owner, name=name, description=description)


def edit_collection(owner: User, collection_id: UUID, *, name: str | None = None, description: str | None = None) -> Collection:
    """Change the given values. Raise Collection.DoesNotExist for another owner's id, and Refused for an invalid or taken name."""
    with transaction.atomic():
        lock_owner(owner.pk)
        collection = Collection.objects.get(pk=collection_id, owner=owner)
        if name is not None:
            name = clean_label(name, COLLECTION_NAME_MAX_LENGTH)
            refuse_taken(Collection.objects.filter(owner=owner), name, TAKEN, collection_id)
            collection.name = name
        if description is not None:
            collection.description = description
        collection.updated_at = timezone.now()
        collection.save(update_fields=["name", "description", "updated_at"])
    return collection


def add_videos(owner: User, collection_id: UUID, video_ids: Ids[UUID]) -> None:
    """Add videos to a collection; those that are in it already stay.

    Raise DoesNotExist of the model when the collection or a video is another owner's, and Refused for too many videos.
    """
    with transaction.atomic():
        lock_owner(owner.pk)
        collection = Collection.objects.get(pk=collection_id, owner=owner)
        known = set(Video.objects.filter(owner=owner, pk__in=video_ids).values_list("pk", flat=True))
        if known != set(video_ids):
            raise Video.DoesNotExist
        CollectedVideo.objects.bulk_create(
            [CollectedVideo(owner=owner, collection=collection, video_id=video_id) for video_id in dict.fromkeys(video_ids)],
            ignore_conflicts=True,
        )
        if collection.collected_videos.count() > MAX_VIDEOS:
            raise Refused(TOO_MANY_VIDEOS, "video_ids")
        Collection.objects.filter(pk=collection.pk).update(updated_at=timezone.now())


def remove_videos(owner: User, collection_id: UUID, video_ids: Ids[UUID]) -> None:
    """Remove videos from a collection; others are ignored. Raise Collection.DoesNotExist for another owner's id."""
    collection = Collection.objects.get(pk=collection_id, owner=owner)
    collection.collected_videos.filter(video__in=video_ids).delete()
    Collection.objects.filter(pk=collection.pk).update(updated_at=timezone.now())
