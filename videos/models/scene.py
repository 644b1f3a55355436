"""A scene: a stretch between two cuts, the unit of search."""

import hashlib
import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models

from videos.models.video import Video


class Scene(models.Model):
    """What is said and seen between two cuts, and the hashes of what each channel would embed now."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="scenes")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    index = models.PositiveIntegerField()
    start_s = models.FloatField()
    end_s = models.FloatField()
    transcript = models.TextField(blank=True)
    words = models.JSONField(default=list, blank=True, help_text="[[start_s, end_s, text], …]")
    transcript_edited_at = models.DateTimeField(
        null=True, blank=True, help_text="When its owner last wrote the transcript; what is heard anew does not replace it."
    )
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True, help_text="[{name, confidence}, …]")
    visual_text = models.TextField(blank=True, help_text="Description and tags, as they are searched.")
    described_by = models.CharField(max_length=300, blank=True, help_text="The model that the description and the tags are by.")
    on_screen_text = models.TextField(blank=True, help_text="What is written in the picture, a line each.")
    read_by = models.CharField(max_length=300, blank=True, help_text="The model that read the picture.")
    keyframe_time_s = models.FloatField(null=True, blank=True)
    other_keyframes_s = models.JSONField(default=list, blank=True, help_text="When the further pictures of a longer scene were seen.")

    # An empty hash says that there is nothing to embed; the planner compares these with the vectors' own.
    transcript_hash = models.CharField(max_length=64, blank=True)
    visual_hash = models.CharField(max_length=64, blank=True)
    summary_hash = models.CharField(max_length=64, blank=True)
    clip_hash = models.CharField(max_length=64, blank=True)
    person_hash = models.CharField(
        max_length=64, blank=True, help_text="Of the pictures in which faces are looked for; empty where the owner wants none found."
    )

    pictures_hash = models.CharField(max_length=64, blank=True, help_text="Of all its pictures.")

    search_vector = models.GeneratedField(
        expression=(
            SearchVector("transcript", weight="A", config="english")
            + SearchVector("visual_text", weight="B", config="english")
            + SearchVector("on_screen_text", weight="C", config="english")
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ("video", "index")
        constraints = (
            models.UniqueConstraint(fields=["video", "index"], name="scene_video_index"),
            models.CheckConstraint(condition=models.Q(end_s__gt=models.F("start_s")), name="scene_ends_after_start"),
        )
        indexes = (
            models.Index(fields=["owner", "video"], name="scene_owner_video"),
            GinIndex(fields=["search_vector"], name="scene_search"),
        )

    def __str__(self) -> str:
        return f"scene {self.index + 1} ({self.start_s:.1f}–{self.end_s:.1f} s)"

    @property
    def transcript_version(self) -> str:
        """Return what tells this transcript from any other, for changes that must not undo one that was not seen."""
        return hashlib.sha256(self.transcript.encode()).hexdigest()[:16]

    @property
    def storage_prefix(self) -> str:
        """Return the prefix of this scene's pictures."""
        return f"owners/{self.owner_id}/videos/{self.video_id}/scenes/{self.pk}"

    @property
    def faces_prefix(self) -> str:
        """Return the prefix of the pictures of single faces in it."""
        return f"{self.storage_prefix}/faces"

    @property
    def keyframe_key(self) -> str:
        """Return where the picture that is embedded lies."""
        return f"{self.storage_prefix}/keyframe.jpg"

    @property
    def thumbnail_key(self) -> str:
        """Return where the small picture for lists lies."""
        return f"{self.storage_prefix}/thumbnail.jpg"

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """Return where all its pictures lie, each with its thumbnail: first the one that represents it; none when it has no keyframe."""
        if not self.clip_hash:
            return []
        numbers = range(2, len(self.other_keyframes_s) + 2)
        others = [(f"{self.storage_prefix}/keyframe-{number}.jpg", f"{self.storage_prefix}/thumbnail-{number}.jpg") for number in numbers]
        return [(self.keyframe_key, self.thumbnail_key), *others]
