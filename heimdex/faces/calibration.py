"""What a similarity of two faces means. Pure."""

import math
from dataclasses import dataclass

# Some twenty pairs of one person were measured: no more can be said of any face than that.
MOST = 0.99


@dataclass(frozen=True)
class Calibration:
    """How one model's cosines are read: two faces count as the same person from `threshold` on.

    `middle` and `slope` are those of a logistic curve that was fitted to measured pairs of the same and of other persons.
    """

    threshold: float
    middle: float
    slope: float

    def probability(self, similarity: float) -> float:
        """Return how likely two faces of this cosine are one person's, 0 to 0.99, if both answers were equally likely beforehand."""
        # The hyperbolic tangent is the logistic function without its overflow.
        return min(MOST, 0.5 * (1 + math.tanh(self.slope * (similarity - self.middle) / 2)))
