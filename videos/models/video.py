"""A video: one uploaded file, its state and its measured properties."""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils import timezone

from heimdex.fields import ErrorTextField
from heimdex.media.timeline import compute_layout
from heimdex.storage import sign_url
from videos.errors import NOT_RETRYABLE

TITLE_MAX_LENGTH = 300
DESCRIPTION_MAX_LENGTH = 10_000


@dataclass(frozen=True)
class Timeline:
    """A sheet of `count` images, row by row of `columns`. Image `i` shows second `i × step_s` of the video's `duration_s`."""

    url: str
    duration_s: float
    step_s: float
    columns: int
    count: int


class Video(models.Model):
    """One uploaded file, from the start of its upload to its deletion."""

    class State(models.TextChoices):
        UPLOADING = "uploading"
        VALIDATING = "validating"
        PROCESSING = "processing"
        INDEXED = "indexed"
        FAILED = "failed"

    # From, to, and when. docs/reference/diagrams.md shows them.
    TRANSITIONS = (
        (State.UPLOADING, State.VALIDATING, "upload completed"),
        (State.UPLOADING, State.FAILED, "upload URL expired"),
        (State.VALIDATING, State.PROCESSING, "file probed"),
        (State.VALIDATING, State.FAILED, "stage failed"),
        (State.PROCESSING, State.INDEXED, "all stages done"),
        (State.PROCESSING, State.FAILED, "stage failed"),
        (State.FAILED, State.VALIDATING, "owner or operator retries"),
        (State.FAILED, State.PROCESSING, "operator retries"),
        (State.INDEXED, State.VALIDATING, "reconcile restores missing images"),
    )
    PROCESSING_STATES = (State.VALIDATING, State.PROCESSING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="videos")
    title = models.CharField(max_length=TITLE_MAX_LENGTH)
    description = models.TextField(blank=True)
    filename = models.CharField(max_length=1024)
    mime_type = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    language = models.CharField(max_length=16, blank=True, help_text="Spoken language, as given by the owner; empty to detect it.")
    checksum = models.CharField(
        max_length=64,
        blank=True,
        help_text="SHA-256 of the uploaded file.",
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.UPLOADING)
    error_code = models.CharField(max_length=40, blank=True)
    error_text = ErrorTextField(blank=True)
    summary = models.TextField(blank=True)
    chapters = models.JSONField(default=list, blank=True, help_text="[{title, start_s}, …]")
    tags = models.JSONField(default=list, blank=True)
    upload_expires_at = models.DateTimeField()
    woken_at = models.DateTimeField(null=True, editable=False, help_text="When a task was last queued for its ingest.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False, help_text="When a person or the ingest last changed it.")
    search_vector = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english") + SearchVector("description", weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ("-created_at", "id")
        indexes = (
            models.Index(fields=["owner", "-created_at"], name="video_owner_created"),
            models.Index(fields=["state", "updated_at"], name="video_state_updated"),
            GinIndex(fields=["search_vector"], name="video_search"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def storage_prefix(self) -> str:
        """Return the prefix of all files of this video. No other file has it."""
        return f"owners/{self.owner_id}/videos/{self.pk}"

    @property
    def upload_key(self) -> str:
        """Return the key that a client uploads to. Nothing is ever decoded from it."""
        return f"{self.storage_prefix}/upload"

    @property
    def original_key(self) -> str:
        """Return the key of the complete file. No upload URL reaches it."""
        return f"{self.storage_prefix}/original"

    @property
    def timeline_key(self) -> str:
        """Return the key of the timeline sheet (`heimdex.media.timeline`)."""
        return f"{self.storage_prefix}/timeline.jpg"

    @property
    def is_processing(self) -> bool:
        """Return whether the ingest is running or waiting for a worker."""
        return self.state in Video.PROCESSING_STATES

    @property
    def can_retry(self) -> bool:
        """Return whether the ingest has failed and a retry with the same file may succeed."""
        return self.state == Video.State.FAILED and self.error_code not in NOT_RETRYABLE

    @property
    def notices(self) -> list[str]:
        """Return sentences that tell the owner what could not be decoded or transcribed, although the ingest succeeded."""
        metadata = getattr(self, "metadata", None)
        return [notice for notice in (metadata.damage_notice, metadata.speech_notice) if notice] if metadata else []

    def list_scene_ids(self) -> list[uuid.UUID]:
        """Return the ids of the video's scenes."""
        return list(self.scenes.values_list("pk", flat=True))

    @property
    def playback_url(self) -> str:
        """Return a signed URL of the file, or an empty string until the video is ready."""
        return sign_url(self.original_key) if self.state == Video.State.INDEXED else ""

    def get_timeline(self) -> Timeline | None:
        """Return the timeline with a signed URL, or None when the video has none. Select the video's metadata first."""
        metadata = getattr(self, "metadata", None)
        if metadata is None or not metadata.has_timeline:
            return None
        layout = compute_layout(metadata.duration_s)
        return Timeline(sign_url(self.timeline_key), metadata.duration_s, layout.step_s, layout.columns, layout.count)

    @property
    def download_url(self) -> str:
        """Return a signed URL that downloads the file under its own name, or an empty string until the video is ready."""
        return sign_url(self.original_key, filename=self.filename) if self.state == Video.State.INDEXED else ""


class VideoMetadata(models.Model):
    """The measured properties of a video's file."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="metadata")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    container = models.CharField(max_length=80)
    duration_s = models.FloatField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    fps = models.FloatField()
    rotation = models.SmallIntegerField(default=0)
    video_codec = models.CharField(max_length=40)
    audio_codec = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=16, blank=True, help_text="Spoken language, as transcribed.")
    speech_notice = models.TextField(blank=True, help_text="Why the speech was not transcribed, as a sentence for the owner.")
    damage_notice = models.TextField(blank=True, help_text="What could not be decoded, as a sentence for the owner.")
    has_timeline = models.BooleanField(default=False, help_text="Whether the video has a timeline sheet.")

    class Meta:
        verbose_name_plural = "video metadata"

    def __str__(self) -> str:
        return f"{self.width}x{self.height}, {self.duration_s:.1f} s"
