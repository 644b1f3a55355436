"""A plan: what a run would do, and why. Pure."""

from dataclasses import asdict, dataclass
from typing import Any

CAUSES = ("missing", "input changed", "step changed", "forced")


@dataclass(frozen=True)
class ChannelCounts:
    """What the database knows of one channel in a scope (numbers of scenes).

    `inputs` counts the different non-empty inputs among the stale scenes: equal ones are computed once.
    """

    step: str
    channel: str
    scenes: int
    missing: int
    input_changed: int
    step_changed: int
    inputs: int
    batch_size: int


@dataclass(frozen=True)
class ChannelPlan:
    """What a run would do in one channel: stale scenes by cause, and the model calls that they take."""

    step: str
    channel: str
    scenes: int
    causes: dict[str, int]
    model_calls: int

    @property
    def stale(self) -> int:
        """The number of scenes to compute."""
        return sum(self.causes.values())


@dataclass(frozen=True)
class Plan:
    """What a run would do over its whole scope."""

    spec_version: str
    spec_digest: str
    videos: int
    channels: tuple[ChannelPlan, ...]

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
            "channels": [{**asdict(channel), "stale": channel.stale} for channel in self.channels],
        }


def plan_channel(counts: ChannelCounts, *, force: bool) -> ChannelPlan:
    """Turn counts into a plan: with `force` every scene is due, otherwise exactly the stale ones, each with one cause."""
    if force:
        causes = {"forced": counts.scenes}
    else:
        causes = {"missing": counts.missing, "input changed": counts.input_changed, "step changed": counts.step_changed}
    return ChannelPlan(
        step=counts.step,
        channel=counts.channel,
        scenes=counts.scenes,
        causes={cause: number for cause, number in causes.items() if number},
        model_calls=-(-counts.inputs // counts.batch_size),
    )
