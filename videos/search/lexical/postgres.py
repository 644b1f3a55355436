"""Lexical search with PostgreSQL's text search vectors, whose words come from `heimdex.text_analysis` (rows of `SceneWords`)."""

import html
import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial, reduce
from operator import or_
from uuid import UUID

from django.contrib.postgres.search import SearchHeadline, SearchQuery
from django.db import DatabaseError, connection
from django.db.models import Case, F, TextField, Value, When
from django.db.models.functions import Concat, Length

from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.models import Scene
from videos.search.lexical.base import LexicalBackend, LexicalMatch, LexicalQuery
from videos.search.lexical.ranking import search_words
from videos.search.lexical.word_rows import delete_words, write_words

CONFIG = "english"
# A query with one of these is taken literally.
_OPERATORS = re.compile(r'["]|(^|\s)-\w')
MAX_QUERY_WORDS = 32
# Shorter texts are shown whole (characters).
MAX_WHOLE_LENGTH = 300
# Control characters, which no stored text contains, so that the text around them can be escaped.
_MARK_START, _MARK_STOP = "\x02", "\x03"
# Between two fragments of a text.
_FRAGMENT_DELIMITER = " … "


# The fields of a scene that a channel shows.
_FIELDS = {LEXICAL: ("transcript",), SHOWN: ("visual_text",), ON_SCREEN: ("on_screen_text",)}


class PostgresLexical(LexicalBackend):
    """Lexical search in the database that also holds the scenes."""

    def index(self, scene_ids: Collection[UUID]) -> None:
        """Write the rows of the scenes' words, and of their videos'."""
        write_words(scene_ids)

    def delete(self, scene_ids: Collection[UUID]) -> None:
        """Delete the rows of the scenes' words."""
        delete_words(scene_ids)

    def search(self, query: LexicalQuery) -> Mapping[str, Sequence[LexicalMatch]]:
        """Return the best scenes per channel."""
        return search_words(query)

    def highlight(self, scene_ids: Collection[UUID], text: str, channel: str) -> dict[UUID, str]:
        """Return an HTML excerpt of each scene's words in a channel."""
        if not scene_ids:
            return {}
        whole = Concat(*_separate(_FIELDS[channel]), output_field=TextField())
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
