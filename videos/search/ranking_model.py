"""What the matches of a scene tell together, and the probability that the scene answers the query. Pure, except for the model's file.

Each match has a certainty on one scale: a share of the query's words (0 to 1), or the similarity of a vector as its model rates it (0 at
the floor, 1 at a typical match). Matches of the same evidence are not independent. What is said is found by its words and by its
meaning, which add up. What is seen is found by tags, their words and the image, which repeat one classifier's vote, so the most certain
counts. The different kinds of evidence add up, as logarithms of odds do. `docs/explanation/search-quality.md` has the measurements.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

from videos.channels import Evidence, get_channel

MODEL_FILE = Path(__file__).with_name("ranking_model.json")
Strength = Literal["strong", "likely", "weak"]
# The kinds of evidence whose channels repeat each other.
REPEATED: frozenset[Evidence] = frozenset({"seen"})


@dataclass(frozen=True)
class EvidenceWeight:
    """How one kind of evidence counts: not below `threshold`, and `gain` times above it."""

    threshold: float
    gain: float

    def weigh(self, amount: float, softness: float) -> float:
        """Return the contribution of an amount of evidence: a line with a soft bend of width `softness` at the threshold."""
        distance = (amount - self.threshold) / softness
        # log(1 + e^x), without an overflow.
        return self.gain * softness * (max(distance, 0.0) + math.log1p(math.exp(-abs(distance))))


@dataclass(frozen=True)
class RankingModel:
    """The learned weights. `scales` has the amount of evidence in a certainty of 1, by channel. `version` is part of search's identity."""

    version: str
    scales: Mapping[str, float]
    default_scale: float
    evidence: Mapping[Evidence, EvidenceWeight]
    softness: float
    slope: float
    contrast: float
    intercept: float
    strong: float
    likely: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the model from JSON."""
        data = json.loads(text)
        return cls(
            version=data["version"],
            scales=data["scales"],
            default_scale=data["default_scale"],
            evidence={name: EvidenceWeight(**weight) for name, weight in data["evidence"].items()},
            softness=data["softness"],
            **data["probability"],
            **data["labels"],
        )

    def measure(self, channel: str, certainty: float) -> float:
        """Return the amount of evidence in a match."""
        return self.scales.get(channel, self.default_scale) * certainty

    def score(self, certainties: Iterable[tuple[str, float]], emphasis: Mapping[Evidence, float]) -> float:
        """Return the score of a scene from the certainty in each channel. `emphasis` multiplies kinds of evidence, 1 by default."""
        amounts: dict[Evidence, float] = {}
        for channel, certainty in certainties:
            kind, amount = get_channel(channel).evidence, self.measure(channel, certainty)
            if kind not in amounts:
                amounts[kind] = amount
            else:
                amounts[kind] = max(amounts[kind], amount) if kind in REPEATED else amounts[kind] + amount
        return sum(emphasis.get(kind, 1.0) * self.evidence[kind].weigh(amount, self.softness) for kind, amount in amounts.items())

    def estimate_probability(self, score: float, best: float, emphasis: Mapping[Evidence, float]) -> float:
        """Return the probability that a scene of this score answers the query, whose best scene has the score `best`.

        The odds grow with powers of the score and of its share of the best, which is logistic regression on their logarithms, fitted on
        judged scenes.
        """
        if score <= 0:
            return 0.0
        comparable, share = describe_score(score, best, emphasis)
        return 1.0 / (1.0 + math.exp(-(self.slope * comparable + self.contrast * share + self.intercept)))

    def label(self, probability: float) -> Strength:
        """Return the word for a probability."""
        if probability >= self.strong:
            return "strong"
        return "likely" if probability >= self.likely else "weak"


def describe_score(score: float, best: float, emphasis: Mapping[Evidence, float]) -> tuple[float, float]:
    """Return the logarithms of a score and of its share of the best one, both above 0.

    A query that counts speech less has lower scores for scenes that are as good: the root of the factor makes queries comparable.
    """
    return math.log(score / math.sqrt(emphasis.get("said", 1.0))), math.log(score / best)


@cache
def get_ranking_model() -> RankingModel:
    """Return the model that search uses."""
    return RankingModel.parse(MODEL_FILE.read_text(encoding="utf-8"))
