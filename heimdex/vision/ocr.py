"""Text that stands in pictures: what a reader returns, and how its lines become a scene's on-screen text."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

# A reader that doubts a line more than this has mostly seen a texture: measured, edges in photographs are "read" as single
# letters with 0.5 to 0.8, and text that is rendered 13 pixels high with 0.9 and more.
LEAST_CONFIDENCE = 0.8
# Single letters and dashes are what edges and corners look like.
FEWEST_LETTERS = 2
# Two frames of a scene show the same line if this much of it is the same (difflib's ratio) and no digit differs.
SAME_LINE = 0.85
# A page of small print; more would only dilute what the scene is about.
MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class ReadLine:
    """One line of text in a picture, in the order of reading; `confidence` is 0 to 1."""

    text: str
    confidence: float


class TextReader(ABC):
    """A model that reads text in pictures. Building one loads nothing; one instance may be shared by threads."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Backend, model and revision: what determines the text."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working, each a sentence that names the setting and the fix; loads no weights."""

    @abstractmethod
    def read(self, images: "Sequence[Image.Image]") -> list[list[ReadLine]]:
        """Read each picture, of any size and mode; the answers are in the order of the pictures, the lines in that of reading."""


def on_screen_text(frames: Iterable[Sequence[ReadLine]]) -> str:
    """Return what is written in the frames of one scene, a line each: sure lines only, each once, spelled as the surest reading of it.

    The text is normalised (NFKC, no control or formatting characters, single spaces) and cut to 4,000 characters at a line's end.
    """
    kept: list[ReadLine] = []
    for line in (normalised(line) for frame in frames for line in frame):
        if line.confidence < LEAST_CONFIDENCE or sum(character.isalnum() for character in line.text) < FEWEST_LETTERS:
            continue
        same = next((place for place, other in enumerate(kept) if same_line(other.text, line.text)), None)
        if same is None:
            kept.append(line)
        elif line.confidence > kept[same].confidence:
            kept[same] = line
    text = "\n".join(line.text for line in kept)
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS + 1].rpartition("\n")[0] or text[:MOST_CHARACTERS]
    return text


def normalised(line: ReadLine) -> ReadLine:
    """Return the line in one form of Unicode, on one line, without what is not seen: control, formatting and private characters."""
    text = unicodedata.normalize("NFKC", line.text)
    seen = "".join(" " if character.isspace() else character for character in text if character.isspace() or _is_seen(character))
    return ReadLine(" ".join(seen.split()), line.confidence)


def same_line(one: str, other: str) -> bool:
    """Tell whether two readings are of one line: equal but for some letters. Other digits are another line: a score, a clock, a price."""
    if _digits(one) != _digits(other):
        return False
    one, other = one.casefold(), other.casefold()
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= SAME_LINE


def _is_seen(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def _digits(text: str) -> list[str]:
    return re.findall(r"\d", text)
