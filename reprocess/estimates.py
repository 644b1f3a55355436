"""What a plan will take: tokens, money, time. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

# OpenAI's rule of thumb for English text; other languages take more tokens per character.
CHARACTERS_PER_TOKEN = 4
_MILLION = 1_000_000


@dataclass(frozen=True)
class TimeRange:
    """The shortest and longest time that something took or may take, in seconds."""

    low_s: float
    high_s: float

    def __add__(self, other: "TimeRange") -> "TimeRange":
        return TimeRange(self.low_s + other.low_s, self.high_s + other.high_s)


def estimate_tokens(inputs: int, characters: float) -> int:
    """Return about how many tokens `inputs` texts of a mean length take."""
    return round(inputs * characters / CHARACTERS_PER_TOKEN)


def cost_of(tokens: int, model: str, prices: Mapping[str, Decimal]) -> Decimal:
    """Return the price of some tokens of a model; `prices` are per million tokens, and a model that is not in them costs nothing."""
    return prices.get(model, Decimal(0)) * tokens / _MILLION


def estimate_time(inputs: int, rates: Sequence[float]) -> TimeRange | None:
    """Return how long `inputs` may take, given earlier runs' inputs per second; None when nothing was measured yet."""
    measured = [rate for rate in rates if rate > 0]
    if not measured:
        return None if inputs else TimeRange(0.0, 0.0)
    return TimeRange(inputs / max(measured), inputs / min(measured))


def remaining_time(share: float, elapsed_s: float) -> float | None:
    """Return the seconds that the rest takes at the pace so far, given the share that is done (0 to 1); None before anything is."""
    return elapsed_s * (1 - share) / share if share else None
