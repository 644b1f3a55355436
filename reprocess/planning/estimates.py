"""Estimate the tokens, cost and time of a plan. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

# OpenAI's rule of thumb for English text; other languages take more tokens per character.
CHARACTERS_PER_TOKEN = 4
_MILLION = 1_000_000


@dataclass(frozen=True)
class TimeRange:
    """The shortest and longest duration, in seconds."""

    low_s: float
    high_s: float

    def __add__(self, other: "TimeRange") -> "TimeRange":
        return TimeRange(self.low_s + other.low_s, self.high_s + other.high_s)


def estimate_tokens(inputs: int, characters: float) -> int:
    """Estimate the tokens of `inputs` texts, given their mean length in characters."""
    return round(inputs * characters / CHARACTERS_PER_TOKEN)


def cost_of(tokens: int, model: str, prices: Mapping[str, Decimal]) -> Decimal:
    """Return the cost of some tokens; `prices` are per million tokens and per model, and a model without a price costs nothing."""
    return prices.get(model, Decimal(0)) * tokens / _MILLION


def estimate_time(inputs: int, rates: Sequence[float]) -> TimeRange | None:
    """Estimate the time for `inputs`, given the inputs per second of earlier runs; return None when nothing has been measured."""
    measured = [rate for rate in rates if rate > 0]
    if not measured:
        return None if inputs else TimeRange(0.0, 0.0)
    return TimeRange(inputs / max(measured), inputs / min(measured))


def remaining_time(share: float, elapsed_s: float) -> float | None:
    """Return the seconds left at the pace so far, given the share done (0 to 1); None when nothing is done."""
    return elapsed_s * (1 - share) / share if share else None
