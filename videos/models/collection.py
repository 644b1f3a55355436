"""How an owner sorts videos: tags and collections."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from videos.models.video import Video

TAG_MAX_LENGTH = 100
COLLECTION_NAME_MAX_LENGTH = 200
COLLECTION_DESCRIPTION_MAX_LENGTH = 2000


class ManualTag(models.Model):
    """A tag that an owner gives to videos. The ingest gives others to scenes and videos (`Scene.tags`, `Video.tags`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=TAG_MAX_LENGTH)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                Lower("name"), "owner", name="manual_tag_owner_name", violation_error_message="You already have a tag with this name."
            ),
        )

    def __str__(self) -> str:
        return self.name


class TaggedVideo(models.Model):
    """A video with one of its owner's tags."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    tag = models.ForeignKey(ManualTag, on_delete=models.CASCADE, related_name="tagged_videos", db_index=False)
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="tagged_videos")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tag", "video"], name="tagged_video_tag_video"),)

    def __str__(self) -> str:
        return f"{self.video_id} has {self.tag_id}"


class Collection(models.Model):
    """Videos that an owner has put together. A video may be in several collections."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=COLLECTION_NAME_MAX_LENGTH)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                "owner",
                name="collection_owner_name",
                violation_error_message="You already have a collection with this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class CollectedVideo(models.Model):
    """A video in a collection."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="collected_videos", db_index=False)
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="collected_videos")
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("added_at", "id")
        constraints = (models.UniqueConstraint(fields=["collection", "video"], name="collected_video_collection_video"),)

    def __str__(self) -> str:
        return f"{self.video_id} in {self.collection_id}"
