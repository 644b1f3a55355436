"""Tags and a plain sentence from an image classifier: the description that needs no language model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.vision.base import Describer, Description, Tag
from heimdex.vision.classifier import ImageClassifier

if TYPE_CHECKING:
    from PIL import Image

# A thousand classes share the probability: a tenth of it for one class is a strong hint.
LEAST_CONFIDENCE = 0.1
MOST_TAGS = 5
# Below this for even the surest class, the picture shows nothing the classifier knows.
CERTAIN = 0.15


class TagDescriber(Describer):
    """Describe pictures by the classes of ImageNet that are likely in them."""

    def __init__(self) -> None:
        self._classifier = ImageClassifier()

    @property
    def identity(self) -> str:
        """The classifier's identity."""
        return f"tags/{self._classifier.identity}"

    def check(self) -> list[str]:
        """Return what keeps the classifier from working."""
        return self._classifier.check()

    def describe(self, scenes: "Sequence[Sequence[Image.Image]]") -> list[Description]:
        """Describe each scene by its first picture; an uncertain one has an empty description."""
        names = self._classifier.class_names
        return [described(likely_tags(names, row)) for row in self._classifier.probabilities([pictures[0] for pictures in scenes])]


def likely_tags(names: Sequence[str], probabilities: NDArray[np.float32]) -> tuple[Tag, ...]:
    """Choose the tags of one picture: at most 5, the surest first, none unless one is fairly certain.

    `probabilities` has shape (classes,). Classes of one name (two kinds of missile) count together.
    """
    together: dict[str, float] = {}
    for name, probability in zip(names, probabilities.tolist(), strict=True):
        together[name] = together.get(name, 0.0) + probability
    ranked = sorted(together.items(), key=lambda item: -item[1])[:MOST_TAGS]
    if not ranked or ranked[0][1] < CERTAIN:
        return ()
    return tuple(Tag(name, min(confidence, 1.0)) for name, confidence in ranked if confidence >= LEAST_CONFIDENCE)


def described(tags: tuple[Tag, ...]) -> Description:
    """Say the tags as one sentence."""
    return Description(f"Likely shows: {', '.join(tag.name for tag in tags)}." if tags else "", tags)
