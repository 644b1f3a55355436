"""The interface of lexical search backends."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from heimdex.errors import SearchServerUnavailable
from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.models import Scene

# The channels of a lexical backend: words that are spoken, words that describe what is shown, and words that are visible on screen.
LEXICAL_CHANNELS = (LEXICAL, SHOWN, ON_SCREEN)


@dataclass(frozen=True)
class LexicalQuery:
    """A search for words in the scenes of one owner's indexed videos, with at most `limit` scenes per channel.

    A scene matches if it contains any of the words. A query with quotes or a minus sign is taken literally: `"two words"` match as a
    phrase, and `-word` excludes scenes with the word. `video_id` and `scenes` restrict the search; a backend outside the database
    evaluates the ids of `scenes`.
    """

    owner_id: UUID
    text: str
    limit: int
    video_id: UUID | None = None
    scenes: QuerySet[Scene] | None = None


class LexicalMatch(NamedTuple):
    """A scene, and its share of the best possible score (0 to about 1), comparable between channels and queries.

    Without `is_match`, only scenes near it hold the words. That is no reason to answer with the scene, but adds to its other evidence.
    """

    scene_id: UUID
    video_id: UUID
    score: float
    is_match: bool = True


@dataclass(frozen=True)
class LexicalAnswer:
    """The best scenes per channel, best first, and for each mistyped word of the query the words that were searched, too.

    The words of `waiting` indexed videos of the owner are not in the index yet. `notices` are sentences for the user about how the answer
    was found.
    """

    matches: Mapping[str, Sequence[LexicalMatch]]
    corrections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: int = 0
    notices: tuple[str, ...] = ()


class Mark(NamedTuple):
    """Matching words in a text: the character at which they start, and as they are written there."""

    start: int
    text: str


class Excerpt(NamedTuple):
    """An HTML excerpt of a text, and the marks of the whole text in order."""

    html: str
    marks: tuple[Mark, ...] = ()


class WordChange(NamedTuple):
    """A scene whose words in the database were written or deleted, and their owner."""

    owner_id: UUID
    scene_id: UUID


class LexicalUnavailable(SearchServerUnavailable):
    """The backend's server cannot be reached. The message names the setting and the fix."""


class LexicalBackend(ABC):
    """An index of the words of scenes and of the titles of their videos.

    `index` and `delete` belong to the transaction that changes the rows: a rollback leaves the index as it was, and a search after the
    commit finds the new words. Raise LexicalUnavailable when a search cannot be answered.
    """

    # Whether `record_changes` keeps changes that are sent later, by `videos.search.lexical.search_index`.
    has_outbox = False

    @abstractmethod
    def index(self, scene_ids: Collection[UUID]) -> None:
        """Make the current words of some scenes, and the title and description of their videos, searchable. Ignore unknown ids."""

    @abstractmethod
    def delete(self, scene_ids: Collection[UUID]) -> None:
        """Remove some scenes from the index. Ignore ids that are not in it."""

    def record_changes(self, changes: Sequence[WordChange]) -> None:  # noqa: B027  # Most backends need nothing here.
        """Note, in the current transaction, which rows of `SceneWords` it has changed. Only indexes that are made from them need it.

        The transaction holds the locks of the scenes' videos.
        """

    @abstractmethod
    def search(self, query: LexicalQuery) -> LexicalAnswer:
        """Return the best scenes per channel, best first; scenes of equal score in the order of their videos and times.

        A word that no text of the owner contains finds the owner's words that it may be a mistyped form of. A scene appears in each channel
        whose own words match; in `lexical`, with a lower score, also if the title or description of its video matches, and, as no match,
        if scenes near it in the video do. Phrases and excluded words concern all words of a scene.
        """

    @abstractmethod
    def highlight(self, scene_ids: Collection[UUID], text: str, channel: str, corrected: Collection[str] = ()) -> dict[UUID, Excerpt]:
        """Return an excerpt of each scene's words in a channel. `corrected` are further words that the search has looked for.

        In its HTML everything is escaped, matching words are within <mark>, and "…" stands where words are omitted. A short text is shown
        whole, even without a matching word. Its marks tell where in the scene's text the matching words are, including omitted ones.
        """

    @abstractmethod
    def health(self) -> str:
        """Return an empty string when the backend can answer searches, or else the reason in one sentence. Do not raise."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return a sentence for each problem of the configuration. Do not connect to a server."""
