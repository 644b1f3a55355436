"""A scene: the part of a video between two cuts. Scenes are the unit of search."""

import hashlib
import uuid
from typing import Self

from django.conf import settings
from django.db import models

from heimdex.storage import sign_url
from videos.models.video import Video


class SceneQuerySet(models.QuerySet["Scene"]):
    """Queries for scenes."""

    def filter_searchable(self, owner_id: uuid.UUID) -> Self:
        """Return the scenes of an owner's indexed videos."""
        # With the owner of the videos, too, the database reads only the owner's videos.
        return self.filter(owner_id=owner_id, video__owner_id=owner_id, video__state=Video.State.INDEXED)


class Scene(models.Model):
    """What is said and shown between two cuts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="scenes")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    index = models.PositiveIntegerField()
    start_s = models.FloatField()
    end_s = models.FloatField()
    transcript = models.TextField(blank=True)
    words = models.JSONField(default=list, blank=True, help_text="[[start_s, end_s, text], …]")
    transcript_edited_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the owner last edited the transcript. A new transcription does not replace it.",
    )
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True, help_text="[{name, confidence}, …]")
    visual_text = models.TextField(blank=True, help_text="Description and tags as one searchable text.")
    described_by = models.CharField(max_length=300, blank=True, help_text="The model that wrote the description and the tags.")
    on_screen_text = models.TextField(blank=True, help_text="Text that is visible in the keyframes, one line per line.")
    read_by = models.CharField(max_length=300, blank=True, help_text="The model that read the on-screen text.")
    keyframe_time_s = models.FloatField(null=True, blank=True)
    other_keyframes_s = models.JSONField(default=list, blank=True, help_text="Times of the other keyframes of a longer scene, in seconds.")

    # Hashes of image files, from which input hashes are composed (`SceneInput`).
    keyframe_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the keyframe; empty without one.")
    pictures_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of all keyframes together; empty without one.")

    objects = SceneQuerySet.as_manager()

    class Meta:
        ordering = ("video", "index")
        constraints = (
            models.UniqueConstraint(fields=["video", "index"], name="scene_video_index"),
            models.CheckConstraint(condition=models.Q(end_s__gt=models.F("start_s")), name="scene_ends_after_start"),
        )
        indexes = (
            models.Index(fields=["owner", "video"], name="scene_owner_video"),
            # Searches look vectors up that are older than an edit, if the owner has edited any scene.
            models.Index(fields=["owner"], name="scene_owner_edited", condition=models.Q(transcript_edited_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"scene {self.index + 1} ({self.start_s:.1f}–{self.end_s:.1f} s)"

    @property
    def transcript_version(self) -> str:
        """Return an identifier of the transcript's current text, so that an edit never overwrites a text that its author has not seen."""
        return hashlib.sha256(self.transcript.encode()).hexdigest()[:16]

    @property
    def storage_prefix(self) -> str:
        """Return the prefix of this scene's images."""
        return f"owners/{self.owner_id}/videos/{self.video_id}/scenes/{self.pk}"

    @property
    def faces_prefix(self) -> str:
        """Return the prefix of the images of this scene's faces."""
        return f"{self.storage_prefix}/faces"

    @property
    def keyframe_key(self) -> str:
        """Return the key of the main keyframe, which is embedded."""
        return f"{self.storage_prefix}/keyframe.jpg"

    @property
    def thumbnail_key(self) -> str:
        """Return the key of the main keyframe's thumbnail."""
        return f"{self.storage_prefix}/thumbnail.jpg"

    @property
    def image_keys(self) -> list[tuple[str, str]]:
        """Return the keys of each keyframe and its thumbnail, the main keyframe first. Empty when the scene has no keyframe."""
        if not self.has_keyframe:
            return []
        numbers = range(2, len(self.other_keyframes_s) + 2)
        others = [(f"{self.storage_prefix}/keyframe-{number}.jpg", f"{self.storage_prefix}/thumbnail-{number}.jpg") for number in numbers]
        return [(self.keyframe_key, self.thumbnail_key), *others]

    @property
    def has_keyframe(self) -> bool:
        """Return whether the scene has a keyframe."""
        return bool(self.keyframe_hash)

    @property
    def thumbnail_url(self) -> str:
        """Return a signed URL of the main thumbnail, or an empty string when the scene has no keyframe."""
        return sign_url(self.thumbnail_key) if self.has_keyframe else ""
