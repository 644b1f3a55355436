"""The parts of a query, as its parser collects them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar
from uuid import UUID

# Where a term must be found.
SPOKEN, SHOWN, ON_SCREEN, TITLE = "said", "seen", "onscreen", "title"
TERM_FIELDS = (SPOKEN, SHOWN, ON_SCREEN, TITLE)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Term:
    """A word or a phrase, and the field in which it must be found; an empty field stands for all, the video's description included."""

    text: str
    is_phrase: bool = True
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class VideoFilters:
    """What must hold for a video, or, of tags, for a scene.

    Several languages are alternatives, tags must all be there. A video is uploaded on the day `uploaded_from` or later, before the day
    `uploaded_before`, and longer or shorter than so many seconds.
    """

    languages: tuple[str, ...] = ()
    excluded_languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    excluded_tags: tuple[str, ...] = ()
    uploaded_from: date | None = None
    uploaded_before: date | None = None
    longer_than_s: float | None = None
    shorter_than_s: float | None = None


@dataclass(frozen=True)
class ParsedQuery(VideoFilters):
    """A query in parts.

    `text` are the words to rank scenes by: plain words, and the required terms but titles, in order. All required terms must be found.
    `next_query` is what follows within `within_s` seconds in the same video. `without_names` is the query as typed, but for its people.
    """

    text: str = ""
    required: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    person_ids: tuple[UUID, ...] = ()
    excluded_person_ids: tuple[UUID, ...] = ()
    within_s: float | None = None
    next_query: "ParsedQuery | None" = None
    notices: tuple[str, ...] = ()
    without_names: str = field(default="", compare=False)

    @property
    def requires_content(self) -> bool:
        """Whether a word or phrase must be found in the scene. One of a title only chooses videos."""
        return any(term.field != TITLE for term in self.required)

    @property
    def is_empty(self) -> bool:
        """Whether the query asks for nothing."""
        return ParsedQuery(notices=self.notices) == self


@dataclass
class QueryParts:
    """What a parser has read so far."""

    words: list[str] = field(default_factory=list)
    required: list[Term] = field(default_factory=list)
    excluded: list[Term] = field(default_factory=list)
    person_ids: list[UUID] = field(default_factory=list)
    excluded_person_ids: list[UUID] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    excluded_languages: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    excluded_tags: list[str] = field(default_factory=list)
    first_days: list[date] = field(default_factory=list)
    last_days: list[date] = field(default_factory=list)
    longer: list[float] = field(default_factory=list)
    shorter: list[float] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def add_term(self, term: Term, is_excluded: bool) -> None:
        """Add a term that must, or must not, be found. The words of a required one rank scenes too, unless they are those of a title."""
        if is_excluded:
            self.excluded.append(term)
            return
        self.required.append(term)
        if term.field != TITLE:
            self.words.append(term.text)

    def build(self, within_s: float | None = None, next_query: ParsedQuery | None = None) -> ParsedQuery:
        """Return the query. Of several days or durations, the strictest counts."""
        return ParsedQuery(
            text=" ".join(self.words),
            required=_deduplicate(self.required),
            excluded=_deduplicate(self.excluded),
            person_ids=_deduplicate(self.person_ids),
            excluded_person_ids=_deduplicate(self.excluded_person_ids),
            languages=_deduplicate(self.languages),
            excluded_languages=_deduplicate(self.excluded_languages),
            tags=_deduplicate(self.tags),
            excluded_tags=_deduplicate(self.excluded_tags),
            uploaded_from=max(self.first_days, default=None),
            uploaded_before=min(self.last_days, default=None),
            longer_than_s=max(self.longer, default=None),
            shorter_than_s=min(self.shorter, default=None),
            within_s=within_s,
            next_query=next_query,
            notices=_deduplicate(self.notices),
        )


def _deduplicate(values: Sequence[Value]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))
