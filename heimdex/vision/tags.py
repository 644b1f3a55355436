"""Describe scenes with an image classifier's tags and a plain sentence, without a language model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.vision.base import Describer, Description, Tag
from heimdex.vision.classifier import ImageClassifier

if TYPE_CHECKING:
    from PIL import Image

# A thousand classes share the probability: a tenth of it for one class is strong evidence.
MIN_CONFIDENCE = 0.1
MAX_TAGS = 5
# When even the likeliest class has less, the image shows nothing that the classifier knows.
MIN_TOP_CONFIDENCE = 0.15


class TagDescriber(Describer):
    """Describe images by the likely ImageNet classes in them."""

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
        """Describe each scene by its first image. The description is empty when no class is likely enough."""
        names = self._classifier.class_names
        probabilities = self._classifier.classify([images[0] for images in scenes])
        return [build_description(select_tags(names, row)) for row in probabilities]


def select_tags(names: Sequence[str], probabilities: NDArray[np.float32]) -> tuple[Tag, ...]:
    """Select the tags of one image: at most 5, the likeliest first, and none unless one is fairly certain.

    `probabilities` has shape (classes,). Classes of the same name (two kinds of missile) count together.
    """
    confidences: dict[str, float] = {}
    for name, probability in zip(names, probabilities.tolist(), strict=True):
        confidences[name] = confidences.get(name, 0.0) + probability
    ranked = sorted(confidences.items(), key=lambda item: -item[1])[:MAX_TAGS]
    if not ranked or ranked[0][1] < MIN_TOP_CONFIDENCE:
        return ()
    return tuple(Tag(name, min(confidence, 1.0)) for name, confidence in ranked if confidence >= MIN_CONFIDENCE)


def build_description(tags: tuple[Tag, ...]) -> Description:
    """Return the tags as one sentence with the tags themselves."""
    return Description(f"Likely shows: {', '.join(tag.name for tag in tags)}." if tags else "", tags)
