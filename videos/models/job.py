"""The jobs of a video's ingest, one per stage, and the chunks of a transcript that is not complete yet."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from heimdex.fields import ErrorTextField
from heimdex.leases import LeasedModel
from heimdex.outages.models import WaitingModel
from videos.models.video import Video


class Job(LeasedModel, WaitingModel):
    """The state of one stage, and the lease of the worker that runs it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        # An earlier stage has failed, so this one never starts.
        SKIPPED = "skipped"

    # From, to, and when. docs/reference/diagrams.md shows them.
    TRANSITIONS = (
        (State.QUEUED, State.RUNNING, "worker acquires the lease"),
        (State.RUNNING, State.DONE, "stage done"),
        (State.RUNNING, State.QUEUED, "worker lost, attempt failed, or outage"),
        (State.RUNNING, State.FAILED, "file rejected, or last attempt failed"),
        (State.QUEUED, State.SKIPPED, "earlier stage failed"),
        (State.DONE, State.QUEUED, "upgrade adds an earlier stage"),
        (State.FAILED, State.QUEUED, "operator retries"),
        (State.SKIPPED, State.QUEUED, "operator retries"),
    )

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="jobs")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    stage = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    error = ErrorTextField(blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("video", "position")
        constraints = (models.UniqueConstraint(fields=["video", "stage"], name="job_video_stage"),)
        indexes = (
            models.Index(fields=["state", "lease_expires_at"], name="job_state_lease"),
            models.Index(fields=["lease_token"], name="job_lease_token", condition=models.Q(lease_token__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.stage}: {self.state}"

    @property
    def duration_s(self) -> float | None:
        """Return the seconds that the last attempt took or has taken so far; None before the first attempt."""
        if self.started_at is None:
            return None
        return round(((self.finished_at or timezone.now()) - self.started_at).total_seconds(), 3)


class TranscriptChunk(models.Model):
    """The words of one chunk of an audio track. They are kept until the transcript is complete, so that another worker can resume."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    model_key = models.CharField(max_length=300, help_text="The speech model, and the language it was set to.")
    first_sample = models.BigIntegerField()
    end_sample = models.BigIntegerField()
    language = models.CharField(max_length=16, blank=True)
    words = models.JSONField(default=list, blank=True, help_text="[[start_s, end_s, text], …]")

    class Meta:
        ordering = ("video", "first_sample")
        constraints = (models.UniqueConstraint(fields=["video", "first_sample"], name="transcript_chunk_video_first"),)

    def __str__(self) -> str:
        return f"samples {self.first_sample} to {self.end_sample}"
