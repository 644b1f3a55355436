"""The fields of a scene's words, and the words of a query that are looked up in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from videos.search.lexical.lexemes import count_positions, join_any

# A compound with a word, a part of it or a correction counts half as much as the word.
RELATED_WEIGHT = 0.5


@dataclass(frozen=True)
class Field:
    """A field of a scene's words: its column, those of its length, and the columns of `VideoWords` that sum the texts and their lengths."""

    column: str
    length: str
    count_sum: str
    length_sum: str
    is_windowed: bool = False


SPOKEN = Field("spoken", "spoken_window", "spoken_scenes", "spoken_windows", is_windowed=True)
SHOWN = Field("shown", "shown_count", "shown_scenes", "shown_words")
ON_SCREEN = Field("on_screen", "on_screen_count", "on_screen_scenes", "on_screen_words")
FIELDS = (SPOKEN, SHOWN, ON_SCREEN)


@dataclass(frozen=True)
class Lookup:
    """The quoted lexemes of one word of a query: its forms, related words, and how many scenes hold any of them in each field."""

    forms: tuple[str, ...]
    related: tuple[str, ...] = ()
    frequencies: Mapping[str, int] | None = None

    @property
    def query(self) -> str:
        """The text of a tsquery."""
        return join_any([*self.forms, *self.related])

    def count(self, vector: str) -> float:
        """Return how often a vector holds the word."""
        return max(count_positions(vector, self.forms), RELATED_WEIGHT * count_positions(vector, self.related))

    def get_frequency(self, field: Field) -> int:
        """Return how many scenes hold the word in a field."""
        return (self.frequencies or {}).get(field.column, 0)


def list_present(lookups: Sequence[Lookup], field: Field) -> list[Lookup]:
    """Return the words that any scene holds in a field."""
    return [lookup for lookup in lookups if lookup.get_frequency(field)]


class WordCandidate(NamedTuple):
    """A scene that may answer a query: its row of words, with its length and its vector in the field that is searched."""

    scene_id: UUID
    video_id: UUID
    scene_index: int
    length: float
    vector: str
