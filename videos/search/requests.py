"""What a search is asked for."""

from dataclasses import astuple, dataclass, field
from typing import Any
from uuid import UUID

from videos.search.conditions import SearchFilters
from videos.search.examples import Example
from videos.search.listing import Sort
from videos.search.modes import Kind, Mode

# The default number of scenes per video in an answer.
MAX_PER_VIDEO = 10


@dataclass(frozen=True)
class SearchRequest:
    """A query, and the part of the answer that is requested.

    `text` is in the query language. `cursor` comes from an answer to the same search. `per_video` limits the scenes of each video, unless
    the search is in one video. `mode` selects the channels that are searched; with `evidence`, only scenes count that one of these kinds
    of evidence has found. `join` joins neighboring scenes into passages, but not with `then:` or an `example`. With an `example`, scenes
    are ranked by their nearness to it too. With `ranking_only`, for measurements, the query is not recorded, its time is not limited, and
    hits have neither excerpts nor people.
    """

    text: str
    limit: int = 20
    per_video: int = MAX_PER_VIDEO
    video_id: UUID | None = None
    filters: SearchFilters = field(default_factory=SearchFilters)
    mode: Mode = Mode.ALL
    evidence: frozenset[Kind] = frozenset()
    sort: Sort = Sort.RELEVANCE
    cursor: str = ""
    join: bool = False
    with_facets: bool = False
    example: Example | None = None
    ranking_only: bool = False

    @property
    def identity(self) -> tuple[Any, ...]:
        """All that determines the answer, but not its page."""
        example = self.example.digest if self.example else ""
        asked = (self.text, astuple(self.filters), self.video_id, self.per_video, example)
        return (*asked, self.mode, sorted(self.evidence), self.sort, self.join)
