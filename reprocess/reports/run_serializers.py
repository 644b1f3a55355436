"""The JSON of runs, as the API answers it and `manage.py reprocess_runs --json` prints it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from reprocess.models import ReprocessFailure, ReprocessRun, RunCounter
from reprocess.planning.plan_serializer import PlanSerializer
from reprocess.reports.run_progress import measure_progress


class CounterSerializer(serializers.ModelSerializer[RunCounter]):
    """One channel of a run: planned targets, and their outcomes so far."""

    class Meta:
        model = RunCounter
        fields = ("step", "channel", "planned", "done", "skipped", "empty", "failed")


@extend_schema_field(PlanSerializer)
class StoredPlanField(serializers.JSONField):
    """A run's plan as it was stored when the run was queued."""


class RunSerializer(serializers.ModelSerializer[ReprocessRun]):
    """A run: request, state, progress and result. Build it from `ReprocessRun.objects.with_details()`."""

    requested_by = serializers.CharField(source="requested_by.email", default=None)
    plan = StoredPlanField(read_only=True)
    counters = CounterSerializer(many=True)
    progress = serializers.SerializerMethodField(help_text="0 to 100")
    rate = serializers.SerializerMethodField(help_text="Vectors per second so far.")
    eta_s = serializers.SerializerMethodField(help_text="Estimated seconds left; null when they cannot be estimated.")
    actions = serializers.ListField(child=serializers.CharField(), source="available_controls", read_only=True)
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
        """Return the progress in percent."""
        return measure_progress(run).percent

    def get_rate(self, run: ReprocessRun) -> float | None:
        """Return vectors per second."""
        return measure_progress(run).rate

    def get_eta_s(self, run: ReprocessRun) -> float | None:
        """Return the estimated seconds left."""
        return measure_progress(run).eta_s


class FailureSerializer(serializers.ModelSerializer[ReprocessFailure]):
    """One target that a run could not compute, and why."""

    class Meta:
        model = ReprocessFailure
        fields = ("id", "step", "channel", "video_id", "scene_id", "error", "created_at")


def serialize_run(run: ReprocessRun) -> dict[str, Any]:
    """Return a run as JSON data; `run` comes from `ReprocessRun.objects.with_details()`."""
    return dict(RunSerializer(run).data)
