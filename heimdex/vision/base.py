"""What a describer says about a scene, and the interface that every one of them has."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Tag:
    """Something that is likely seen; `confidence` is 0 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True)
class Description:
    """A sentence about a scene and its tags, the surest first; both empty when nothing is certain.

    `written` are the lines that the model read on screen, cleaned; a model that does not read has none.
    """

    text: str
    tags: tuple[Tag, ...]
    written: tuple[str, ...] = ()


class Describer(ABC):
    """A model that describes scenes by pictures of them. Building one loads nothing; one instance may be shared by threads."""

    # So many of a scene's pictures are looked at, at most.
    most_pictures: ClassVar[int] = 1

    @property
    @abstractmethod
    def identity(self) -> str:
        """Backend, model and revision: what determines the descriptions."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working, each a sentence that names the setting and the fix; loads no weights."""

    @abstractmethod
    def describe(self, scenes: "Sequence[Sequence[Image.Image]]") -> list[Description]:
        """Describe each scene by its pictures, at least one, first the one that represents it; the answers are in the scenes' order."""
