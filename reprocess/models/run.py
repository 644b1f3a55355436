"""Specs, and runs: requests to bring the videos and people of a scope to a spec."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.fields import ErrorTextField
from heimdex.outages.models import WaitingModel
from videos.models import Video
from videos.models.embedding import CHANNEL_LENGTH


class RunQuerySet(models.QuerySet["ReprocessRun"]):
    """Queries of runs."""

    def prefetch_details(self) -> Self:
        """Load each run's requester, trial, counters and usage, annotate `failure_count`, and sort by newest first."""
        return (
            self.select_related("requested_by", "trial")
            .prefetch_related("counters", "uses")
            .annotate(failure_count=models.Count("failures"))
            .order_by("-created_at")
        )

    def filter_started_by(self, owner: User) -> Self:
        """Return the runs over one video that a user has started as its owner, by request or by an edit."""
        entry_points = (ReprocessRun.EntryPoint.OWNER, ReprocessRun.EntryPoint.EDIT)
        return self.filter(requested_by=owner, scope=ReprocessRun.Scope.VIDEO, entry_point__in=entry_points)


class EmbeddingSpec(models.Model):
    """An effective spec of this installation, recorded when it was first used, so that every vector can be traced to its step and model."""

    digest = models.CharField(max_length=64, primary_key=True)
    version = models.CharField(max_length=40)
    definition = models.JSONField()
    first_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-first_used_at",)

    def __str__(self) -> str:
        return f"{self.version} ({self.digest[:8]})"


class ReprocessRun(WaitingModel):
    """One request, its state and its totals."""

    class Scope(models.TextChoices):
        VIDEO = "video"
        OWNER = "owner"
        ALL = "all"

    class EntryPoint(models.TextChoices):
        ADMIN = "admin"
        COMMAND = "command"
        API = "api"
        OWNER = "owner"
        ROLLBACK = "rollback"
        EDIT = "edit"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        PAUSED = "paused"
        SUCCEEDED = "succeeded"
        PARTIAL = "partial"
        FAILED = "failed"
        CANCELLED = "cancelled"

    # From, to, and when. docs/reference/diagrams.md shows them.
    TRANSITIONS = (
        (State.QUEUED, State.RUNNING, "worker starts"),
        (State.QUEUED, State.PAUSED, "paused by an operator"),
        (State.QUEUED, State.CANCELLED, "canceled"),
        (State.RUNNING, State.PAUSED, "paused by an operator, the cost limit or an outage"),
        (State.RUNNING, State.CANCELLED, "canceled"),
        (State.RUNNING, State.SUCCEEDED, "no item failed"),
        (State.RUNNING, State.PARTIAL, "some items failed"),
        (State.RUNNING, State.FAILED, "all items failed"),
        (State.PAUSED, State.QUEUED, "resumed, or the outage is over"),
        (State.PAUSED, State.CANCELLED, "canceled"),
        (State.PARTIAL, State.QUEUED, "failures retried"),
        (State.FAILED, State.QUEUED, "failures retried"),
        (State.CANCELLED, State.QUEUED, "failures retried"),
    )

    # A worker may work on an open run. A paused run is unfinished, but not open.
    OPEN = (State.QUEUED, State.RUNNING)
    UNFINISHED = (*OPEN, State.PAUSED)
    # These have tried all planned targets.
    COMPLETED = (State.SUCCEEDED, State.PARTIAL)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    entry_point = models.CharField(max_length=8, choices=EntryPoint.choices)
    scope = models.CharField(max_length=6, choices=Scope.choices)
    video = models.ForeignKey(Video, null=True, on_delete=models.SET_NULL, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    force = models.BooleanField(default=False)
    since = models.DateTimeField(null=True)
    spec = models.ForeignKey("reprocess.EmbeddingSpec", on_delete=models.PROTECT, related_name="runs")
    spec_version = models.CharField(max_length=40)
    plan = models.JSONField()
    video_count = models.PositiveIntegerField()
    people_count = models.PositiveIntegerField(default=0, help_text="Number of owners whose people this run reprocesses.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    model_calls = models.PositiveBigIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0, help_text="Computed with the prices in the settings.")
    max_cost = models.DecimalField(max_digits=14, decimal_places=6, null=True, help_text="The run pauses when its cost reaches this.")
    automatic_cutover = models.BooleanField(default=True)
    error = ErrorTextField(blank=True, help_text="Why the run failed, is paused, or waits for a worker with its spec.")
    woken_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["state", "-created_at"], name="run_state_created"),)

    def __str__(self) -> str:
        return f"{self.get_scope_display()} · {self.spec_version} · {self.state}"

    @property
    def is_trial(self) -> bool:
        """Whether the run computes only a sample, and ends with a report instead of a cutover."""
        return hasattr(self, "trial")

    @property
    def available_controls(self) -> list[str]:
        """The names of the controls that the run's state allows, as API, command and admin use them."""
        if self.state in self.OPEN:
            return ["pause", "cancel"]
        if self.state == self.State.PAUSED:
            # A run that waits for the end of an outage continues by itself, unless somebody pauses it.
            return ["pause", "resume", "cancel"] if self.waits_for else ["resume", "cancel"]
        return ["retry-failed"] if self.state in (self.State.PARTIAL, self.State.FAILED) else []

    @property
    def limit_reached(self) -> bool:
        """Whether the cost of the run has reached its limit."""
        return self.max_cost is not None and self.cost >= self.max_cost


class StepUse(models.Model):
    """The usage of one step in a run. Later plans take their rates from it."""

    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="uses")
    step = models.CharField(max_length=40)
    inputs = models.PositiveBigIntegerField(default=0, help_text="Number of distinct inputs that were embedded.")
    model_calls = models.PositiveBigIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0.0, help_text="Seconds of computing and writing, summed over workers.")

    class Meta:
        ordering = ("run", "id")
        constraints = (models.UniqueConstraint(fields=["run", "step"], name="use_run_step"),)

    def __str__(self) -> str:
        return f"{self.step}: {self.inputs} inputs in {self.seconds:.1f} s"


class RunCounter(models.Model):
    """The outcomes of one channel in a run, in targets: planned = done + skipped + empty + failed + not begun."""

    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="counters")
    step = models.CharField(max_length=40)
    channel = models.CharField(max_length=CHANNEL_LENGTH)
    planned = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    empty = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ("run", "id")
        constraints = (models.UniqueConstraint(fields=["run", "channel"], name="counter_run_channel"),)

    def __str__(self) -> str:
        outcomes = f"{self.done} done, {self.skipped} skipped, {self.empty} empty, {self.failed} failed"
        return f"{self.channel}: {outcomes}, {self.not_begun} not begun of {self.planned}"

    @property
    def counted(self) -> int:
        """The number of targets that have an outcome."""
        return self.done + self.skipped + self.empty + self.failed

    @property
    def not_begun(self) -> int:
        """The number of planned targets that have no outcome, as in a canceled run."""
        return max(0, self.planned - self.counted)
