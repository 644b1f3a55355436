"""The items of a run, and what went wrong in them."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from people.models import Person, PersonPhoto
from reprocess.models.run import ReprocessRun
from videos.models import Scene, Video


class ReprocessItem(models.Model):
    """One video of a run, or the people of one owner, and the expiring right (lease) of one worker to work on it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    OPEN = (State.QUEUED, State.RUNNING)

    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="items")
    video = models.ForeignKey(Video, null=True, on_delete=models.CASCADE, related_name="+", help_text="Empty for its owner's people.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # The n-th item of its owner in this run: working in this order lets owners take turns.
    turn = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    # By channel: what this item added to the run's counters, so that a retry can take it back.
    counts = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("run", "turn", "id")
        constraints = (
            models.UniqueConstraint(fields=["run", "video"], name="item_run_video"),
            models.UniqueConstraint(fields=["run", "owner"], name="item_run_people", condition=models.Q(video__isnull=True)),
        )
        indexes = (
            models.Index(fields=["run", "state", "turn"], name="item_run_state_turn"),
            models.Index(fields=["video", "lease_expires_at"], name="item_video_lease"),
            models.Index(fields=["lease_token"], name="item_lease_token", condition=models.Q(lease_token__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.video_id or f'people of {self.owner_id}'}: {self.state}"


class ReprocessFailure(models.Model):
    """One thing that a run could not do: which step, for what, and why."""

    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="failures")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    video = models.ForeignKey(Video, null=True, on_delete=models.CASCADE, related_name="+")
    scene = models.ForeignKey(Scene, null=True, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="+")
    photo = models.ForeignKey(PersonPhoto, null=True, on_delete=models.CASCADE, related_name="+")
    step = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, blank=True)
    error = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("run", "id")

    def __str__(self) -> str:
        return f"{self.step}: {self.error}"
