"""Answer a search: parse the query, find a page of scenes, and explain why each of them matched."""

from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.database.time_budget import UNLIMITED, TimeBudget
from videos.registry import get_people_search
from videos.search.answer_page import AnswerPage, find_page
from videos.search.cursors import Position, decode_cursor, encode_cursor, identify_search
from videos.search.explain import Explanation, SearchPart
from videos.search.facets import Facets
from videos.search.hits import Hit, build_bare_hits, build_hits
from videos.search.parsed_query import ParsedQuery
from videos.search.pools import SearchContext
from videos.search.query_language import parse_query
from videos.search.ranking_model import get_ranking_model
from videos.search.recorded_queries import record_query
from videos.search.requests import SearchRequest
from videos.search.suggestions import Suggestion, suggest_people

__all__ = ["Correction", "Hit", "SearchAnswer", "SearchRequest", "search"]


@dataclass(frozen=True)
class Correction:
    """A word of a query that none of the owner's texts contains, and the words that were searched, too, as probably meant."""

    word: str
    searched: tuple[str, ...]


@dataclass(frozen=True)
class SearchAnswer:
    """A page of hits, the total number of hits, and sentences about channels that were left out and words that were read otherwise.

    `offset` is the number of hits before this page. The cursors are empty where there is no such page. Unless something `fits` well, the
    hits are what comes closest.
    """

    hits: tuple[Hit, ...]
    total: int
    notices: tuple[str, ...]
    offset: int = 0
    next_cursor: str = ""
    previous_cursor: str = ""
    facets: Facets | None = None
    suggestions: tuple[Suggestion, ...] = ()
    parts: tuple[SearchPart, ...] = ()
    fits: bool = True
    corrections: tuple[Correction, ...] = ()


def search(owner: User, request: SearchRequest) -> SearchAnswer:
    """Search an owner's indexed scenes. The names of people are neither recorded nor sent to a model.

    Channels are left out whose statements do not end within SEARCH_SECONDS. Raise QuerySyntaxError with the position of what cannot be
    parsed, and Refused for a cursor of another search.
    """
    budget = UNLIMITED if request.ranking_only else TimeBudget(settings.SEARCH_SECONDS)
    context = SearchContext(owner.pk, request.mode, budget, Explanation())
    search_id = identify_search(owner.pk, get_ranking_model().version, *request.identity)
    position = decode_cursor(search_id, request.cursor) if request.cursor else None
    as_of = position.as_of if position else timezone.now()
    with context.explanation.measure("query"):
        query = parse_query(request.text, partial(get_people_search().load_names, owner.pk))
        suggestions = () if position or request.ranking_only else suggest_people(owner.pk, query, request.text)
    page = find_page(context, request, query, position)
    with context.explanation.measure("hits"):
        hits = build_bare_hits(page.scenes) if request.ranking_only else _build_hits(context, query, page)
    if not position and not request.ranking_only:
        record_query(owner.pk, query.without_names)
    return SearchAnswer(
        tuple(hits),
        page.total,
        tuple(dict.fromkeys((*query.notices, *page.notices))),
        offset=page.start,
        next_cursor=encode_cursor(search_id, page.find_next(as_of)) if page.has_next else "",
        previous_cursor=encode_cursor(search_id, Position(as_of, max(0, page.start - request.limit))) if page.start else "",
        facets=page.facets,
        suggestions=suggestions,
        parts=tuple(context.explanation.parts),
        fits=page.fits,
        corrections=_list_corrections(context, query),
    )


def _build_hits(context: SearchContext, query: ParsedQuery, page: AnswerPage) -> list[Hit]:
    corrected = {word for words in context.corrections.values() for word in words}
    return build_hits(context.owner_id, page, query.text, corrected)


def _list_corrections(context: SearchContext, query: ParsedQuery) -> tuple[Correction, ...]:
    """Return the corrections of words that only rank. Required words are searched exactly as they are."""
    required = {word for term in query.required for word in term.text.split()}
    return tuple(Correction(word, searched) for word, searched in context.corrections.items() if word not in required)
