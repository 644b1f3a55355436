"""The items of a run, and their failures."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from heimdex.fields import ErrorTextField
from heimdex.leases import LeasedModel
from people.models import Person, PersonPhoto
from reprocess.models.run import ReprocessRun
from videos.models import Scene, Video
from videos.models.embedding import CHANNEL_LENGTH


class ReprocessItem(LeasedModel):
    """One video of a run, or the people of one owner. A worker works on it under a lease."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    # From, to, and when. docs/reference/diagrams.md shows them.
    TRANSITIONS = (
        (State.QUEUED, State.RUNNING, "worker acquires the lease"),
        (State.QUEUED, State.CANCELLED, "run canceled"),
        (State.RUNNING, State.QUEUED, "worker stops or releases it"),
        (State.RUNNING, State.DONE, "all targets embedded or empty"),
        (State.RUNNING, State.FAILED, "some targets failed, or three workers died"),
        (State.RUNNING, State.CANCELLED, "run canceled"),
        (State.FAILED, State.QUEUED, "failures retried"),
    )

    OPEN = (State.QUEUED, State.RUNNING)

    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="items")
    video = models.ForeignKey(
        Video, null=True, on_delete=models.CASCADE, related_name="+", help_text="Empty for an item that covers its owner's people."
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # The position of the item among its owner's items in this run. Workers go by it, so that owners take turns.
    turn = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    # The counts that this item has added to the run's counters, by channel. A retry subtracts them.
    counts = models.JSONField(default=dict)
    scene_ids = ArrayField(models.UUIDField(), null=True, help_text="The scenes of the video that a trial computes; empty for all.")
    error = ErrorTextField(blank=True)
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
    """One target that a step of a run failed to embed, and the reason."""

    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="failures")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    video = models.ForeignKey(Video, null=True, on_delete=models.CASCADE, related_name="+")
    scene = models.ForeignKey(Scene, null=True, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="+")
    photo = models.ForeignKey(PersonPhoto, null=True, on_delete=models.CASCADE, related_name="+")
    step = models.CharField(max_length=40)
    channel = models.CharField(max_length=CHANNEL_LENGTH, blank=True)
    error = ErrorTextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("run", "id")

    def __str__(self) -> str:
        return f"{self.step}: {self.error}"
