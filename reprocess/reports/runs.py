"""Runs as API, admin and commands show them: JSON, progress, and the message that confirms a queued run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from heimdex.outages.classify import OutageKind
from reprocess.models import ReprocessFailure, ReprocessItem, ReprocessRun, RunCounter
from reprocess.planning.plan import estimate_remaining_time
from reprocess.planning.plan_serializer import PlanSerializer
from reprocess.planning.targets import SCENES
from reprocess.reports.trials import TrialSerializer
from reprocess.spec import EffectiveSpec, get_effective_spec
from videos.models import EmbeddingSpace, Scene, SceneEmbedding, Video
from videos.search.vectors import list_active_spaces

PARTIAL = "{filled} of {videos} videos; search switches when the owner is complete"
PARTIAL_MANUAL = "{filled} of {videos} videos; search switches when the owner is complete and you run `manage.py cutover`"


@dataclass(frozen=True)
class RunProgress:
    """The percentage done (0 to 100), vectors per second so far, and seconds left. Rate and time are None while unknown."""

    percent: int
    rate: float | None
    eta_s: float | None


def measure_progress(run: ReprocessRun) -> RunProgress:
    """Measure the progress of a run by computed inputs or by the targets of finished items, whichever is further.

    A run that has tried everything is at 100; one that was canceled keeps its share.
    Inputs are counted after every batch, but fresh targets have none. Targets are counted when a worker finishes or releases their item.
    """
    counters = run.counters.all()
    inputs = sum(use.inputs for use in run.uses.all())
    done = max(inputs, sum(counter.done for counter in counters))
    finished = sum(counter.counted for counter in counters)
    share = max(
        _compute_share(inputs, sum(channel["inputs"] for channel in run.plan["channels"])),
        _compute_share(finished, sum(counter.planned for counter in counters)),
    )
    until = run.finished_at or timezone.now()
    elapsed = (until - run.started_at).total_seconds() if run.started_at else 0.0
    rate = done / elapsed if elapsed > 0 and done else None
    if run.state in ReprocessRun.COMPLETED:
        return RunProgress(100, rate, None)
    if run.state not in ReprocessRun.UNFINISHED:
        # The plan may have expected fewer inputs than there were.
        most = 99 if any(counter.not_begun for counter in counters) else 100
        return RunProgress(min(most, int(100 * share)), rate, None)
    return RunProgress(min(99, int(100 * share)), rate, estimate_remaining_time(share, elapsed))


class CounterSerializer(serializers.ModelSerializer[RunCounter]):
    """One channel of a run: planned targets, their outcomes so far, and how many have none. They add up."""

    not_begun = serializers.IntegerField(read_only=True, help_text="Targets without an outcome: the rest of `planned`.")

    class Meta:
        model = RunCounter
        fields = ("step", "channel", "planned", "done", "skipped", "empty", "failed", "not_begun")


@extend_schema_field(PlanSerializer)
class StoredPlanField(serializers.JSONField):
    """A run's plan as it was stored when the run was queued."""


class RunSerializer(serializers.ModelSerializer[ReprocessRun]):
    """A run: request, state, progress and result. It needs `ReprocessRun.objects.prefetch_details()`."""

    requested_by = serializers.CharField(source="requested_by.email", default=None)
    plan = StoredPlanField(read_only=True)
    trial = TrialSerializer(allow_null=True, help_text="Null for a run over the whole scope.")
    counters = CounterSerializer(many=True)
    progress = serializers.SerializerMethodField(help_text="0 to 100")
    rate = serializers.SerializerMethodField(help_text="Vectors per second so far.")
    eta_s = serializers.SerializerMethodField(help_text="Estimated seconds left; null when they cannot be estimated.")
    entrance = serializers.ChoiceField(choices=ReprocessRun.EntryPoint.choices, source="entry_point")
    actions = serializers.ListField(child=serializers.CharField(), source="available_controls", read_only=True)
    failures = serializers.IntegerField(source="failure_count")
    waits_for = serializers.ChoiceField(
        choices=[("", "Nothing"), *OutageKind.choices],
        help_text="The part whose outage pauses the run. It continues by itself when the outage is over.",
    )

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
            "waits_for",
            "failures",
            "plan",
            "trial",
            "counters",
            "created_at",
            "started_at",
            "finished_at",
        )

    def get_progress(self, run: ReprocessRun) -> int:
        """Return the percentage done."""
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
    """Return a run as JSON data. `run` needs `ReprocessRun.objects.prefetch_details()`."""
    return dict(RunSerializer(run).data)


def format_queued_message(*runs: ReprocessRun) -> str:
    """Return the message that confirms queued runs: their size and, for partial runs, when search switches."""
    videos, owners = sum(run.video_count for run in runs), sum(run.people_count for run in runs)
    size = f"{videos} video(s)" + (f" and the people of {owners} owner(s)" if owners else "")
    queued = f"Queued embedding reprocessing for {size} using spec version {runs[0].spec_version}"
    return ". ".join([queued, *build_cutover_notices(*runs)])


def build_cutover_notices(*runs: ReprocessRun) -> list[str]:
    """Return a notice for each owner whose pending spaces stay incomplete after these runs: search keeps reading the active spaces."""
    spec = get_effective_spec()
    partial_runs = [run for run in runs if run.spec_id == spec.digest and (run.scope == ReprocessRun.Scope.VIDEO or run.since)]
    return list(_iter_notices(partial_runs, spec)) if partial_runs else []


def count_filled_videos(owner_id: UUID, spec: EffectiveSpec, in_runs: QuerySet[ReprocessItem, Any]) -> tuple[int, int] | None:
    """Return how many of an owner's videos the spec's pending spaces will contain, and how many videos the owner has.

    `in_runs` selects the ids of videos that unfinished runs will add. Return None when search already reads the spec's spaces, when it
    reads no space yet, or when no video will be missing.
    """
    active = {space.fingerprint for space in list_active_spaces(owner_id)}
    pending = {configured.compute_fingerprint(channel) for configured, channel in spec.list_channels(SCENES)} - active
    if not active or not pending:
        return None
    spaces = list(EmbeddingSpace.objects.filter(fingerprint__in=pending))
    videos = Video.objects.filter(owner=owner_id, state=Video.State.INDEXED)
    is_filled = Q(pk__in=in_runs)
    if len(spaces) == len(pending):
        lacks_row = reduce(or_, (~Exists(SceneEmbedding.objects.filter(scene=OuterRef("pk"), space=space)) for space in spaces))
        is_filled |= Q(~Exists(Scene.objects.filter(lacks_row, video=OuterRef("pk"))))
    filled, total = videos.filter(is_filled).count(), videos.count()
    return (filled, total) if filled < total else None


def _iter_notices(runs: Sequence[ReprocessRun], spec: EffectiveSpec) -> Iterator[str]:
    notice = PARTIAL if all(run.automatic_cutover for run in runs) else PARTIAL_MANUAL
    items = ReprocessItem.objects.filter(run__in=runs)
    for owner_id in items.order_by("owner").values_list("owner", flat=True).distinct():
        if share := count_filled_videos(owner_id, spec, items.filter(owner=owner_id).values("video")):
            yield notice.format(filled=share[0], videos=share[1])


def _compute_share(done: int, planned: int) -> float:
    return min(1.0, done / planned) if planned else 0.0
