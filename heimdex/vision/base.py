"""What a describer says about a picture, and the interface that every one of them has."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Tag:
    """Something that is likely seen; `confidence` is 0 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True)
class Description:
    """A sentence about a picture and its tags, the surest first; both empty when nothing is certain."""

    text: str
    tags: tuple[Tag, ...]


class Describer(ABC):
    """A model that describes pictures. Building one loads nothing; one instance may be shared by threads."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Backend, model and revision: what determines the descriptions."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working, each a sentence that names the setting and the fix; loads no weights."""

    @abstractmethod
    def describe(self, images: "Sequence[Image.Image]") -> list[Description]:
        """Describe each picture; the answers are in the order of the pictures."""
