"""A plan: what a run would do, why, and an estimate of its tokens, cost and time. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import nlargest
from uuid import UUID

# The number of owners that a plan lists: it is stored in its run's row and shown on one page.
MAX_OWNERS = 25
# OpenAI's rule of thumb for English text. Other languages take more tokens per character.
CHARACTERS_PER_TOKEN = 4
_MILLION = 1_000_000


@dataclass(frozen=True)
class TimeRange:
    """The shortest and longest duration, in seconds."""

    low_s: float
    high_s: float

    def __add__(self, other: "TimeRange") -> "TimeRange":
        return TimeRange(self.low_s + other.low_s, self.high_s + other.high_s)


@dataclass(frozen=True)
class ChannelCounts:
    """The counts of one channel, or of the search index, in a scope. `target_type` is scenes, photos or people.

    `inputs` counts the distinct non-empty inputs of stale targets, because equal inputs are computed once. `characters` is their mean
    length. A `batch_size` of 0 means that the step calls no model.
    """

    step: str
    channel: str
    target_type: str
    targets: int
    missing: int
    input_changed: int
    step_changed: int
    inputs: int
    characters: float
    batch_size: int


@dataclass(frozen=True)
class ChannelPlan:
    """What a run would do in one channel or in the search index: stale targets per cause, and the model calls that they need."""

    step: str
    channel: str
    target_type: str
    targets: int
    causes: dict[str, int]
    inputs: int
    model_calls: int
    tokens: int
    cost: Decimal

    @property
    def stale(self) -> int:
        """The number of vectors to compute, or documents to write."""
        return sum(self.causes.values())


@dataclass(frozen=True)
class OwnerCounts:
    """An owner's scenes in a scope, and the vectors and documents that a run would write for them."""

    owner_id: UUID
    scenes: int
    stale: int


@dataclass(frozen=True)
class Plan:
    """What a run would do over its whole scope.

    For scope `all`, `owners` lists the MAX_OWNERS owners with the most stale targets, and `stale_owners` counts all owners with any.
    `notices` say what could not be counted as it is now.
    """

    spec_version: str
    spec_digest: str
    videos: int
    channels: tuple[ChannelPlan, ...]
    time: TimeRange | None
    owners: tuple[OwnerCounts, ...]
    stale_owners: int
    notices: tuple[str, ...] = ()

    @property
    def stale(self) -> int:
        """The number of vectors to compute and documents to write."""
        return sum(channel.stale for channel in self.channels)

    @property
    def model_calls(self) -> int:
        """The estimated number of model calls. Exactly 0 when nothing is stale."""
        return sum(channel.model_calls for channel in self.channels)

    @property
    def tokens(self) -> int:
        """The estimated number of tokens that models read."""
        return sum(channel.tokens for channel in self.channels)

    @property
    def cost(self) -> Decimal:
        """The estimated cost, by settings.MODEL_PRICES."""
        return sum((channel.cost for channel in self.channels), Decimal(0))

    @property
    def seconds(self) -> list[float] | None:
        """The shortest and longest expected time in seconds. None when a step was never measured with its model."""
        return None if self.time is None else [round(self.time.low_s, 1), round(self.time.high_s, 1)]


def plan_channel(counts: ChannelCounts, model: str, prices: Mapping[str, Decimal], *, force: bool) -> ChannelPlan:
    """Build the plan of a channel. With `force` every target is computed, otherwise only the stale targets, each with one cause."""
    if force:
        causes = {"forced": counts.targets}
    else:
        causes = {"missing": counts.missing, "input changed": counts.input_changed, "step changed": counts.step_changed}
    tokens = estimate_tokens(counts.inputs, counts.characters)
    return ChannelPlan(
        step=counts.step,
        channel=counts.channel,
        target_type=counts.target_type,
        targets=counts.targets,
        causes={cause: number for cause, number in causes.items() if number},
        inputs=counts.inputs,
        model_calls=-(-counts.inputs // counts.batch_size) if counts.batch_size else 0,
        tokens=tokens,
        cost=compute_cost(tokens, model, prices),
    )


def select_top_owners(owners: Iterable[OwnerCounts]) -> tuple[tuple[OwnerCounts, ...], int]:
    """Return the MAX_OWNERS owners with the most stale vectors, the most first, and the number of owners with any."""
    stale = [owner for owner in owners if owner.stale]
    return tuple(nlargest(MAX_OWNERS, stale, key=lambda owner: (owner.stale, owner.owner_id))), len(stale)


def estimate_tokens(inputs: int, characters: float) -> int:
    """Estimate the tokens of `inputs` texts, given their mean length in characters."""
    return round(inputs * characters / CHARACTERS_PER_TOKEN)


def compute_cost(tokens: int, model: str, prices: Mapping[str, Decimal]) -> Decimal:
    """Return the cost of some tokens. `prices` are per million tokens and model. A model without a price costs nothing."""
    return prices.get(model, Decimal(0)) * tokens / _MILLION


def estimate_time(inputs: int, rates: Sequence[float]) -> TimeRange | None:
    """Estimate the time for `inputs` from the rates (inputs per second) of earlier runs. Return None when nothing was measured."""
    measured = [rate for rate in rates if rate > 0]
    if not measured:
        return None if inputs else TimeRange(0.0, 0.0)
    return TimeRange(inputs / max(measured), inputs / min(measured))


def estimate_remaining_time(share: float, elapsed_s: float) -> float | None:
    """Return the seconds left at the current pace, given the share done (0 to 1). Return None when nothing is done."""
    return elapsed_s * (1 - share) / share if share else None
