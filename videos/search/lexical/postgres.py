"""Lexical search with PostgreSQL's full text search. Generated columns hold the words, so there is no separate index to update."""

import html
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from uuid import UUID

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank, SearchVectorField
from django.db import DatabaseError, connection
from django.db.models import Case, F, FloatField, Func, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Concat, Length

from videos.channels import LEXICAL, ON_SCREEN
from videos.models import Scene, Video
from videos.search.lexical.base import LexicalBackend, LexicalMatch, LexicalQuery

CONFIG = "english"
# A query with one of these is taken literally.
_OPERATORS = re.compile(r'["]|(^|\s)-\w')
_EXCLUDED = re.compile(r"(?<!\S)-\w+")
MAX_QUERY_WORDS = 32
MAX_TITLE_MATCHES = 500
# A matching title counts a tenth as much as matching words.
TITLE_WEIGHT = 0.1
# Shorter texts are shown whole (characters).
MAX_WHOLE_LENGTH = 300
# Control characters, which no stored text contains, so that the text around them can be escaped.
_MARK_START, _MARK_STOP = "\x02", "\x03"
# Between two fragments of a text.
_FRAGMENT_DELIMITER = " … "


@dataclass(frozen=True)
class _Channel:
    """A part of a scene's words: its labels in the search vector, the weights of the labels D, C, B and A, and the model's fields."""

    labels: str
    weights: tuple[float, float, float, float]
    fields: tuple[str, ...]


_CHANNELS = {
    LEXICAL: _Channel("{a,b}", (0.0, 0.0, 0.4, 1.0), ("transcript", "visual_text")),
    ON_SCREEN: _Channel("{c}", (0.0, 1.0, 0.0, 0.0), ("on_screen_text",)),
}


class PostgresLexical(LexicalBackend):
    """Lexical search in the database that also holds the scenes."""

    def index(self, scene_ids: Collection[UUID]) -> None:
        """Do nothing: the words are in generated columns."""

    def delete(self, scene_ids: Collection[UUID]) -> None:
        """Do nothing: the words are in the rows of the scenes."""

    def search(self, query: LexicalQuery) -> Mapping[str, Sequence[LexicalMatch]]:
        """Return the best scenes per channel."""
        match, any_word = build_search_query(query.text), _match_any_word(query.text)
        titles = Video.objects.filter(owner_id=query.owner_id, search_vector=match).values_list("pk", flat=True)
        titled = list(titles[:MAX_TITLE_MATCHES])
        scenes = _restrict(query).alias(spoken=_select_words(LEXICAL), on_screen=_select_words(ON_SCREEN))
        in_speech = Q(search_vector=match) & (Q(spoken=any_word) | ~Q(on_screen=any_word)) | Q(video_id__in=titled)
        on_screen = Q(search_vector=match) & Q(on_screen=any_word)
        title_score = SearchRank(F("video__search_vector"), match) * Value(TITLE_WEIGHT) if titled else Value(0.0)
        return {
            LEXICAL: _select_best(scenes.filter(in_speech), _score("spoken", LEXICAL, query.text) + title_score, query.limit),
            ON_SCREEN: _select_best(scenes.filter(on_screen), _score("on_screen", ON_SCREEN, query.text), query.limit),
        }

    def highlight(self, scene_ids: Collection[UUID], text: str, channel: str) -> dict[UUID, str]:
        """Return an HTML excerpt of each scene's words in a channel."""
        if not scene_ids:
            return {}
        whole = Concat(*_separate(_CHANNELS[channel].fields), output_field=TextField())
        headline = partial(
            SearchHeadline,
            "whole",
            build_search_query(text),
            config=CONFIG,
            start_sel=_MARK_START,
            stop_sel=_MARK_STOP,
            short_word=0,  # type: ignore[arg-type]  # The stubs expect a bool, PostgreSQL a number.
        )
        excerpt = Case(
            When(length__lte=MAX_WHOLE_LENGTH, then=headline(highlight_all=True)),
            default=headline(max_fragments=2, max_words=30, min_words=10, fragment_delimiter=_FRAGMENT_DELIMITER),
        )
        rows = Scene.objects.filter(pk__in=scene_ids).annotate(whole=whole, length=Length("whole"), excerpt=excerpt)
        return {scene_id: _render_html(excerpt, whole) for scene_id, excerpt, whole in rows.values_list("pk", "excerpt", "whole")}

    def health(self) -> str:
        """Return the reason why the database cannot answer, or an empty string."""
        try:
            connection.ensure_connection()
        except DatabaseError:
            return "The database cannot be reached, so nothing can be searched. Check HEIMDEX_DATABASE_URL."
        return "" if connection.is_usable() else "The connection to the database is broken. Try again."

    def check(self) -> list[str]:
        """Return no problems: there is nothing to configure."""
        return []


def build_search_query(text: str) -> SearchQuery:
    """Return a query that matches any of the words, or, with operators, the literal query."""
    if _OPERATORS.search(text):
        return SearchQuery(text, search_type="websearch", config=CONFIG)
    words = re.findall(r"\w+", text)[:MAX_QUERY_WORDS]
    return reduce(or_, (SearchQuery(word, config=CONFIG) for word in words)) if words else SearchQuery("", config=CONFIG)


def _match_any_word(text: str) -> SearchQuery:
    """Return a query that matches any of the words that are not excluded."""
    return build_search_query(" ".join(re.findall(r"\w+", _EXCLUDED.sub(" ", text))))


def _restrict(query: LexicalQuery) -> QuerySet[Scene]:
    scenes = Scene.objects.filter_searchable(query.owner_id)
    if query.video_id is not None:
        scenes = scenes.filter(video_id=query.video_id)
    return scenes if query.scenes is None else scenes.filter(pk__in=query.scenes.values("pk"))


def _select_words(channel: str) -> Func:
    return Func(F("search_vector"), Value(_CHANNELS[channel].labels), function="ts_filter", output_field=SearchVectorField())


def _score(words: str, channel: str, text: str) -> CombinedExpression:
    """Return the score of a channel's words. Scenes with all words of the query come before scenes that repeat some of them."""
    has_all = Case(When(**{words: SearchQuery(text, config=CONFIG)}, then=Value(1.0)), default=Value(0.0), output_field=FloatField())
    weights = list(_CHANNELS[channel].weights)
    return SearchRank(F("search_vector"), build_search_query(text), weights=weights, normalization=Value(1)) + has_all


def _select_best(scenes: QuerySet[Scene], score: CombinedExpression, limit: int) -> list[LexicalMatch]:
    rows = scenes.annotate(score=score).order_by("-score", "video_id", "index").values_list("pk", "video_id", "score")[:limit]
    return [LexicalMatch(*row) for row in rows]


def _separate(fields: Sequence[str]) -> list[F | Value]:
    """Return the fields with a space after each. Concat needs at least two parts."""
    return [part for field in fields for part in (F(field), Value(" "))]


def _render_html(excerpt: str, whole: str) -> str:
    """Return the excerpt as HTML, with "…" at each end where words are omitted. Pure."""
    letters, fragments = _extract_letters(whole), excerpt.split(_FRAGMENT_DELIMITER)
    begin = "" if letters.startswith(_extract_letters(fragments[0])) else "… "
    end = "" if letters.endswith(_extract_letters(fragments[-1])) else " …"
    marked = html.escape(excerpt.strip()).replace(_MARK_START, "<mark>").replace(_MARK_STOP, "</mark>")
    return f"{begin}{marked}{end}"


def _extract_letters(text: str) -> str:
    # PostgreSQL drops punctuation at the ends of an excerpt, and anything that looks like a tag within it.
    return re.sub(r"[\W_]+", "", re.sub(r"<[^<>]*>", "", text))
