"""Convert the similarity of two faces to a probability. Pure."""

import math
from dataclasses import dataclass

# The curve was fitted to only about twenty pairs of the same person, so no higher probability is justified.
MAX_PROBABILITY = 0.99


@dataclass(frozen=True)
class Calibration:
    """Interprets one model's cosines: two faces count as the same person from a cosine of `threshold` on.

    `middle` and `slope` define a logistic curve, fitted to measured pairs of the same person and of different persons.
    """

    threshold: float
    middle: float
    slope: float

    def estimate_probability(self, similarity: float) -> float:
        """Return the probability (0 to 0.99) that two faces with this cosine are the same person, given even prior odds."""
        # The hyperbolic tangent is the logistic function without its overflow.
        return min(MAX_PROBABILITY, 0.5 * (1 + math.tanh(self.slope * (similarity - self.middle) / 2)))
