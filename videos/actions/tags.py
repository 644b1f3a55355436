"""Create, rename and delete an owner's tags, and give them to videos."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.database.names import has_name
from heimdex.errors import Refused
from videos.actions.labels import clean_label, refuse_taken
from videos.models import ManualTag, TaggedVideo, Video
from videos.models.collection import TAG_MAX_LENGTH

MAX_TAGS = 1000
MAX_TAGS_PER_VIDEO = 50
TAKEN = "You already have a tag named {name}."
TOO_MANY = f"You can have at most {MAX_TAGS} tags. Delete some that you no longer need."
TOO_MANY_ON_VIDEO = f"A video can have at most {MAX_TAGS_PER_VIDEO} tags. Remove some of them."


def create_tag(owner: User, name: str) -> ManualTag:
    """Create a tag. Raise Refused for an invalid name, one that is taken, or too many tags."""
    name = clean_label(name, TAG_MAX_LENGTH)
    with transaction.atomic():
        lock_owner(owner.pk)
        refuse_taken(ManualTag.objects.filter(owner=owner), name, TAKEN)
        tag = ManualTag.objects.create(owner=owner, name=name)
        _refuse_too_many(owner)
        return tag


def rename_tag(owner: User, tag_id: UUID, name: str) -> ManualTag:
    """Rename a tag on all its videos. Raise ManualTag.DoesNotExist for another owner's id, and Refused for an invalid or taken name."""
    name = clean_label(name, TAG_MAX_LENGTH)
    with transaction.atomic():
        lock_owner(owner.pk)
        tag = ManualTag.objects.get(pk=tag_id, owner=owner)
        refuse_taken(ManualTag.objects.filter(owner=owner), name, TAKEN, tag_id)
        tag.name = name
        tag.save(update_fields=["name"])
    return tag


def set_video_tags(owner: User, video_id: UUID, names: Iterable[str]) -> list[str]:
    """Replace the owner's tags of a video, and create those that are new. Return their names.

    Raise Video.DoesNotExist for another owner's id, and Refused for an invalid name or too many tags.
    """
    cleaned = [clean_label(name, TAG_MAX_LENGTH) for name in names]
    with transaction.atomic():
        lock_owner(owner.pk)
        video = Video.objects.get(pk=video_id, owner=owner)
        owned = ManualTag.objects.filter(owner=owner)
        before = owned.count()
        # Which names are the same, the constraint decides. The first of them is stored.
        ManualTag.objects.bulk_create([ManualTag(owner=owner, name=name) for name in cleaned], ignore_conflicts=True)
        tags = list(owned.filter(reduce(or_, map(has_name, cleaned), Q(pk__in=()))))
        if len(tags) > MAX_TAGS_PER_VIDEO:
            raise Refused(TOO_MANY_ON_VIDEO, "tags")
        if owned.count() > before:
            _refuse_too_many(owner)
        TaggedVideo.objects.filter(video=video).exclude(tag__in=tags).delete()
        TaggedVideo.objects.bulk_create([TaggedVideo(owner=owner, tag=tag, video=video) for tag in tags], ignore_conflicts=True)
    return sorted(tag.name for tag in tags)


def _refuse_too_many(owner: User) -> None:
    if ManualTag.objects.filter(owner=owner).count() > MAX_TAGS:
        raise Refused(TOO_MANY)
