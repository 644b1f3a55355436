"""The interface of describers and the description that they return."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Tag:
    """Something that an image likely shows; `confidence` is 0 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True)
class Description:
    """A sentence about a scene and its tags, the most confident first; both empty when nothing is certain.

    `lines` are the cleaned lines that the model read on screen; a model that does not read has none.
    """

    text: str
    tags: tuple[Tag, ...]
    lines: tuple[str, ...] = ()


class Describer(ABC):
    """A model that describes scenes by their images. The constructor loads nothing; threads may share an instance."""

    # The maximum number of images per scene that the model gets.
    max_images: ClassVar[int] = 1

    @property
    @abstractmethod
    def identity(self) -> str:
        """Backend, model and revision, which determine the descriptions."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working. Each sentence names the setting and the fix. Load no weights."""

    @abstractmethod
    def describe(self, scenes: "Sequence[Sequence[Image.Image]]") -> list[Description]:
        """Describe each scene by its images: at least one, the representative first. Return descriptions in the order of the scenes."""
