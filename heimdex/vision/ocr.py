"""The interface of text readers, and the rules that turn the lines they read into a scene's on-screen text."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

# Lines of lower confidence are mostly textures: as measured, edges in photographs are "read" as single letters with 0.5 to 0.8, and text
# rendered 13 pixels high with 0.9 and more.
MIN_CONFIDENCE = 0.8
# Edges and corners look like single letters and dashes.
MIN_LETTERS = 2
# Two frames of a scene show the same line if its similarity (difflib's ratio) is at least this and no digit differs.
SAME_LINE_RATIO = 0.85
# A page of small print. More would only dilute the topic of the scene.
MAX_CHARACTERS = 4000


@dataclass(frozen=True)
class TextLine:
    """One line of text in an image; `confidence` is 0 to 1."""

    text: str
    confidence: float


class TextReader(ABC):
    """A model that reads text in images. The constructor loads nothing; threads may share an instance."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Backend, model and revision, which determine the text."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working. Each sentence names the setting and the fix. Load no weights."""

    @abstractmethod
    def read(self, images: "Sequence[Image.Image]") -> list[list[TextLine]]:
        """Read images of any size and mode. Return the lines of each image in reading order."""


def compose_on_screen_text(frames: Iterable[Sequence[TextLine]]) -> str:
    """Return the text in the frames of one scene: each confident line once, spelled as in its most confident reading.

    The text is normalized (NFKC, no control or formatting characters, single spaces) and cut at the end of a line to 4,000 characters.
    """
    lines: list[TextLine] = []
    for line in (normalize_line(line) for frame in frames for line in frame):
        if line.confidence < MIN_CONFIDENCE or sum(character.isalnum() for character in line.text) < MIN_LETTERS:
            continue
        same = next((index for index, other in enumerate(lines) if is_same_line(other.text, line.text)), None)
        if same is None:
            lines.append(line)
        elif line.confidence > lines[same].confidence:
            lines[same] = line
    text = "\n".join(line.text for line in lines)
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS + 1].rpartition("\n")[0] or text[:MAX_CHARACTERS]
    return text


def normalize_line(line: TextLine) -> TextLine:
    """Return the text in one form of Unicode, on one line, without invisible characters: control, formatting and private ones."""
    text = unicodedata.normalize("NFKC", line.text)
    visible = "".join(" " if character.isspace() else character for character in text if character.isspace() or _is_visible(character))
    return TextLine(" ".join(visible.split()), line.confidence)


def is_same_line(first: str, second: str) -> bool:
    """Return whether two readings show one line: equal except for some letters. Different digits (a score, clock or price) do not."""
    if _find_digits(first) != _find_digits(second):
        return False
    first, second = first.casefold(), second.casefold()
    return first == second or SequenceMatcher(None, first, second, autojunk=False).ratio() >= SAME_LINE_RATIO


def _is_visible(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def _find_digits(text: str) -> list[str]:
    return re.findall(r"\d", text)
