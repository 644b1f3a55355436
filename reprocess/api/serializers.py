"""What the reprocessing API takes and shows."""

from typing import Any

from rest_framework import serializers

from reprocess.actions.control import offered
from reprocess.models import ReprocessFailure, ReprocessRun, RunCounter
from reprocess.progress import run_progress


class ReprocessRequestSerializer(serializers.Serializer[Any]):
    """Which videos to bring to the latest spec."""

    scope = serializers.ChoiceField(choices=ReprocessRun.Scope.choices)
    video_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    owner_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    force = serializers.BooleanField(default=False)
    since = serializers.DateTimeField(required=False, allow_null=True, default=None)
    max_cost = serializers.DecimalField(max_digits=14, decimal_places=6, min_value=0, required=False, allow_null=True, default=None)
    cutover = serializers.BooleanField(default=True, help_text="Switch the search by itself when an owner is complete.")


class ReprocessQueuedSerializer(serializers.Serializer[Any]):
    """The answer to a request that was queued."""

    status = serializers.CharField()
    spec_version = serializers.CharField()
    scope = serializers.CharField()
    video_count = serializers.IntegerField()
    message = serializers.CharField()
    run_id = serializers.UUIDField()
    status_url = serializers.CharField()


class CounterSerializer(serializers.ModelSerializer[RunCounter]):
    """What became of one channel's scenes."""

    class Meta:
        model = RunCounter
        fields = ("step", "channel", "planned", "done", "skipped", "empty", "failed")


class RunSerializer(serializers.ModelSerializer[ReprocessRun]):
    """A run: who asked for what, where it stands, and how it ended."""

    requested_by = serializers.CharField(source="requested_by.email", default=None)
    counters = CounterSerializer(many=True)
    progress = serializers.SerializerMethodField()
    rate = serializers.SerializerMethodField(help_text="Vectors per second so far.")
    eta_s = serializers.SerializerMethodField(help_text="Seconds that are left, where they can be told.")
    actions = serializers.SerializerMethodField()
    failures = serializers.IntegerField(source="failure_count")

    class Meta:
        model = ReprocessRun
        fields = (
            "id",
            "state",
            "scope",
            "video_id",
            "owner_id",
            "force",
            "since",
            "entrance",
            "requested_by",
            "spec_version",
            "spec_id",
            "video_count",
            "progress",
            "rate",
            "eta_s",
            "actions",
            "model_calls",
            "tokens",
            "cost",
            "max_cost",
            "automatic_cutover",
            "error",
            "failures",
            "plan",
            "counters",
            "created_at",
            "started_at",
            "finished_at",
        )

    def get_progress(self, run: ReprocessRun) -> int:
        """Return 0 to 100."""
        return run_progress(run).percent

    def get_rate(self, run: ReprocessRun) -> float | None:
        """Return vectors per second."""
        return run_progress(run).rate

    def get_eta_s(self, run: ReprocessRun) -> float | None:
        """Return the seconds that are left."""
        return run_progress(run).eta_s

    def get_actions(self, run: ReprocessRun) -> list[str]:
        """Return what can be done with the run now."""
        return offered(run)


class FailureSerializer(serializers.ModelSerializer[ReprocessFailure]):
    """One thing that a run could not do."""

    class Meta:
        model = ReprocessFailure
        fields = ("id", "step", "channel", "video_id", "scene_id", "error", "created_at")
