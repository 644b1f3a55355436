"""A plan: what a run would do, and why. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from heapq import nlargest
from typing import Any
from uuid import UUID

from reprocess.estimates import TimeRange, cost_of, estimate_tokens

# A plan stands on its run's row and on a page.
MOST_OWNERS = 25
CAUSES = ("missing", "input changed", "step changed", "forced")


@dataclass(frozen=True)
class ChannelCounts:
    """What the database knows of one channel in a scope (numbers of subjects: of scenes, photos or people, as `kind` says).

    `inputs` counts the different non-empty inputs among the stale ones: equal ones are computed once; `characters` is their mean length.
    A `batch_size` of 0 says that no model is called.
    """

    step: str
    channel: str
    kind: str
    subjects: int
    missing: int
    input_changed: int
    step_changed: int
    inputs: int
    characters: float
    batch_size: int


@dataclass(frozen=True)
class ChannelPlan:
    """What a run would do in one channel: stale subjects by cause, and the model calls that they take."""

    step: str
    channel: str
    kind: str
    subjects: int
    causes: dict[str, int]
    inputs: int
    model_calls: int
    tokens: int
    cost: Decimal

    @property
    def stale(self) -> int:
        """The number of vectors to compute."""
        return sum(self.causes.values())


@dataclass(frozen=True)
class OwnerCounts:
    """How many scenes an owner has in a scope, and how many vectors a run would compute for them."""

    owner_id: UUID
    scenes: int
    stale: int


@dataclass(frozen=True)
class Plan:
    """What a run would do over its whole scope.

    For everything, `owners` are those for whom there is most to do, as many as people read, of `stale_owners` in all.
    """

    spec_version: str
    spec_digest: str
    videos: int
    channels: tuple[ChannelPlan, ...]
    time: TimeRange | None
    owners: tuple[OwnerCounts, ...]
    stale_owners: int

    @property
    def stale(self) -> int:
        """The number of vectors to compute."""
        return sum(channel.stale for channel in self.channels)

    @property
    def model_calls(self) -> int:
        """An estimate of the calls to models; exactly 0 when nothing is stale."""
        return sum(channel.model_calls for channel in self.channels)

    def as_data(self) -> dict[str, Any]:
        """Return the plan as JSON holds it."""
        return {
            "spec_version": self.spec_version,
            "spec_digest": self.spec_digest,
            "videos": self.videos,
            "stale": self.stale,
            "model_calls": self.model_calls,
            "tokens": sum(channel.tokens for channel in self.channels),
            "cost": _money(sum((channel.cost for channel in self.channels), Decimal(0))),
            "seconds": None if self.time is None else [round(self.time.low_s, 1), round(self.time.high_s, 1)],
            "stale_owners": self.stale_owners,
            "owners": [{"owner_id": str(owner.owner_id), "scenes": owner.scenes, "stale": owner.stale} for owner in self.owners],
            "channels": [{**asdict(channel), "cost": _money(channel.cost), "stale": channel.stale} for channel in self.channels],
        }


def plan_channel(counts: ChannelCounts, model: str, prices: Mapping[str, Decimal], *, force: bool) -> ChannelPlan:
    """Turn counts into a plan: with `force` everything is due, otherwise exactly the stale ones, each with one cause."""
    if force:
        causes = {"forced": counts.subjects}
    else:
        causes = {"missing": counts.missing, "input changed": counts.input_changed, "step changed": counts.step_changed}
    tokens = estimate_tokens(counts.inputs, counts.characters)
    return ChannelPlan(
        step=counts.step,
        channel=counts.channel,
        kind=counts.kind,
        subjects=counts.subjects,
        causes={cause: number for cause, number in causes.items() if number},
        inputs=counts.inputs,
        model_calls=-(-counts.inputs // counts.batch_size) if counts.batch_size else 0,
        tokens=tokens,
        cost=cost_of(tokens, model, prices),
    )


def with_most_to_do(owners: Iterable[OwnerCounts]) -> tuple[tuple[OwnerCounts, ...], int]:
    """Return the owners for whom there is most to do, the most first, and the number of all for whom there is anything. Pure."""
    stale = [owner for owner in owners if owner.stale]
    return tuple(nlargest(MOST_OWNERS, stale, key=lambda owner: (owner.stale, owner.owner_id))), len(stale)


def _money(amount: Decimal) -> str:
    return f"{amount:.4f}"
