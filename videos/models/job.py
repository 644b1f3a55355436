"""A job: one stage of one video's ingest."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from videos.models.video import Video


class Job(models.Model):
    """The state of one stage, and the expiring right (lease) of one worker to work on it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        # A stage before it has failed, so that it never begins.
        SKIPPED = "skipped"

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="jobs")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    stage = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
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
        """Return the seconds that the last attempt took, or has taken so far; None before the first."""
        if self.started_at is None:
            return None
        return round(((self.finished_at or timezone.now()) - self.started_at).total_seconds(), 3)
