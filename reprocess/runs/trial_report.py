"""The report of a trial, and its JSON form: what was sampled, what it took, and what the full run would gain, cost and take."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from rest_framework import serializers

from reprocess.cutover.sampled import SampledChange, SampledChangeSerializer
from reprocess.planning.plan import TimeRange
from reprocess.runs.estimates import StepEstimate


@dataclass(frozen=True)
class OwnerTrial:
    """One owner's part of a trial: the sample, what it was taken from, and how the results change within it.

    `judged` counts the scenes that judgments name, and `judged_sampled` how many of them are in the sample.
    """

    owner_id: UUID
    sampled: int
    stale: int
    judged: int
    judged_sampled: int
    change: SampledChange


@dataclass(frozen=True)
class FullRun:
    """What is left for the full run, estimated from what the trial and earlier runs took."""

    vectors: int
    model_calls: int
    steps: tuple[StepEstimate, ...]

    @property
    def tokens(self) -> int:
        """The tokens that models read."""
        return sum(step.tokens for step in self.steps)

    @property
    def cost(self) -> Decimal:
        """The cost, by settings.MODEL_PRICES."""
        return sum((step.cost for step in self.steps), Decimal(0))

    @property
    def seconds(self) -> list[float] | None:
        """The shortest and longest expected time of the measured steps. None when no step was measured."""
        measured = [step.time for step in self.steps if step.time]
        if self.steps and not measured:
            return None
        total = _add_times(measured)
        return [round(total.low_s, 1), round(total.high_s, 1)]

    @property
    def not_measured(self) -> list[str]:
        """The steps whose time is unknown, because they were never measured with their model."""
        return [step.step for step in self.steps if step.time is None]


@dataclass(frozen=True)
class TrialReport:
    """The report of a trial. `computed` scenes took `seconds`; the others of the sample were up to date."""

    sampled: int
    stale: int
    computed: int
    model_calls: int
    tokens: int
    cost: Decimal
    seconds: float
    full_run: FullRun | None
    owners: tuple[OwnerTrial, ...]
    left_out: tuple[str, ...]

    @property
    def seconds_per_scene(self) -> float | None:
        """The seconds that one scene took. None when nothing was computed."""
        return self.seconds / self.computed if self.computed else None


class OwnerTrialSerializer(serializers.Serializer[OwnerTrial]):
    """One owner's part of a trial."""

    owner_id = serializers.UUIDField()
    sampled = serializers.IntegerField(help_text="Scenes in the sample.")
    stale = serializers.IntegerField(help_text="Stale scenes that the sample stands for.")
    judged_scenes = serializers.IntegerField(source="judged", help_text="Scenes that judgments name.")
    judged_scenes_sampled = serializers.IntegerField(source="judged_sampled", help_text="Those of them that are in the sample.")
    change = SampledChangeSerializer()


class FullRunSerializer(serializers.Serializer[FullRun]):
    """An estimate of what is left for the full run."""

    vectors = serializers.IntegerField()
    model_calls = serializers.IntegerField()
    tokens = serializers.IntegerField()
    cost = serializers.DecimalField(max_digits=None, decimal_places=4)
    seconds = serializers.ListField(child=serializers.FloatField(), allow_null=True, help_text="The shortest and longest expected time.")
    not_measured = serializers.ListField(child=serializers.CharField(), help_text="Steps whose time is unknown.")


class TrialReportSerializer(serializers.Serializer[TrialReport]):
    """What a trial has measured, and what the full run would gain, cost and take."""

    sampled = serializers.IntegerField(help_text="Scenes in the sample.")
    stale = serializers.IntegerField(help_text="Stale scenes that the sample stands for.")
    computed = serializers.IntegerField(help_text="Scenes that this trial computed; the others were up to date.")
    model_calls = serializers.IntegerField()
    tokens = serializers.IntegerField()
    cost = serializers.DecimalField(max_digits=None, decimal_places=4)
    seconds = serializers.FloatField()
    seconds_per_scene = serializers.FloatField(allow_null=True)
    full_run = FullRunSerializer(allow_null=True)
    owners = OwnerTrialSerializer(many=True)
    left_out = serializers.ListField(child=serializers.CharField(), help_text="What the trial does not cover, and why.")


def _add_times(times: Iterable[TimeRange]) -> TimeRange:
    total = TimeRange(0.0, 0.0)
    for time in times:
        total += time
    return total
