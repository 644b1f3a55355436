"""The lexical channels: PostgreSQL's full text search over what is said, seen and written on screen, and over the videos' titles."""

import html
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from uuid import UUID

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank, SearchVectorField
from django.db.models import Case, F, FloatField, Func, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Concat, Length

from videos.models import Scene, Video
from videos.search.fusion import LEXICAL, ON_SCREEN, Ranked, ranked

CONFIG = "english"
# A query in which a person uses these means exactly what it says.
_OPERATORS = re.compile(r'["]|(^|\s)-\w')
_EXCLUDED = re.compile(r"(?<!\S)-\w+")
_MOST_WORDS = 32
_MOST_TITLES = 500
# Control characters that no text we store holds, so that the text around them can be escaped.
_START, _STOP = "\x02", "\x03"
# Between two pieces of a text.
_CUT = " … "
_SHOWN_WHOLE = 300


@dataclass(frozen=True)
class LexicalChannel:
    """Some of a scene's words: their letters in its search vector, what each letter counts (D, C, B, A), and the fields they stand in."""

    name: str
    letters: str
    weights: tuple[float, float, float, float]
    fields: tuple[str, ...]


SAID_AND_SEEN = LexicalChannel(LEXICAL, "{a,b}", (0.0, 0.0, 0.4, 1.0), ("transcript", "visual_text"))
WRITTEN = LexicalChannel(ON_SCREEN, "{c}", (0.0, 1.0, 0.0, 0.0), ("on_screen_text",))


def query_for(text: str) -> SearchQuery:
    """Return a query that any of the words satisfies, or exactly what quotes and minus signs say."""
    if _OPERATORS.search(text):
        return SearchQuery(text, search_type="websearch", config=CONFIG)
    words = re.findall(r"\w+", text)[:_MOST_WORDS]
    return reduce(or_, (SearchQuery(word, config=CONFIG) for word in words)) if words else SearchQuery("", config=CONFIG)


def lexical_pools(scenes: QuerySet[Scene], owner_id: UUID, text: str, size: int) -> list[list[Ranked]]:
    """Return the best `size` scenes by what is said and seen in them, and by what is written in them.

    Whether a scene matches is a question of all its words; it is found by those among which any of the query's are. A scene whose
    video's title matches is found by what is said and seen, too, but counts less.
    """
    query, any_word = query_for(text), _any_word_of(text)
    titled = list(Video.objects.filter(owner_id=owner_id, search_vector=query).values_list("pk", flat=True)[:_MOST_TITLES])
    words = scenes.alias(said=_words_of(SAID_AND_SEEN), written=_words_of(WRITTEN))
    said = Q(search_vector=query) & (Q(said=any_word) | ~Q(written=any_word)) | Q(video_id__in=titled)
    written = Q(search_vector=query) & Q(written=any_word)
    by_title = SearchRank(F("video__search_vector"), query) * Value(0.1) if titled else Value(0.0)
    return [
        _ranked(words.filter(said), SAID_AND_SEEN, _score("said", SAID_AND_SEEN, text) + by_title, size),
        _ranked(words.filter(written), WRITTEN, _score("written", WRITTEN, text), size),
    ]


def highlights(scene_ids: Collection[UUID], text: str, channel: LexicalChannel) -> dict[UUID, str]:
    """Return an excerpt of each scene as HTML: everything escaped, the words that matched within <mark>, "…" where text was cut.

    A short text is shown whole, with or without a match.
    """
    if not scene_ids:
        return {}
    whole = Concat(*_spaced(channel.fields), output_field=TextField())
    excerpt_of = partial(
        SearchHeadline,
        "whole",
        query_for(text),
        config=CONFIG,
        start_sel=_START,
        stop_sel=_STOP,
        short_word=0,  # type: ignore[arg-type]  # a number, whatever the stubs say
    )
    headline = Case(
        When(length__lte=_SHOWN_WHOLE, then=excerpt_of(highlight_all=True)),
        default=excerpt_of(max_fragments=2, max_words=30, min_words=10, fragment_delimiter=_CUT),
    )
    rows = Scene.objects.filter(pk__in=scene_ids).annotate(whole=whole, length=Length("whole"), headline=headline)
    return {scene_id: _as_html(excerpt, whole) for scene_id, excerpt, whole in rows.values_list("pk", "headline", "whole")}


def _any_word_of(text: str) -> SearchQuery:
    """Return a query that any of the words satisfies which a scene must or may have."""
    return query_for(" ".join(re.findall(r"\w+", _EXCLUDED.sub(" ", text))))


def _words_of(channel: LexicalChannel) -> Func:
    return Func(F("search_vector"), Value(channel.letters), function="ts_filter", output_field=SearchVectorField())


def _score(words: str, channel: LexicalChannel, text: str) -> CombinedExpression:
    """Return an expression of how well the channel's words fit: those that hold all of the query before those that repeat some of it."""
    complete = Case(When(**{words: SearchQuery(text, config=CONFIG)}, then=Value(1.0)), default=Value(0.0), output_field=FloatField())
    rank = SearchRank(F("search_vector"), query_for(text), weights=list(channel.weights), normalization=Value(1))
    return rank + complete


def _ranked(scenes: QuerySet[Scene], channel: LexicalChannel, score: CombinedExpression, size: int) -> list[Ranked]:
    rows = scenes.annotate(score=score).order_by("-score", "video_id", "index").values_list("pk", "video_id", "score")[:size]
    return ranked(channel.name, rows)


def _spaced(fields: Sequence[str]) -> list[F | Value]:
    """Return the fields with a space after each, for Concat, which wants two parts at least."""
    return [part for field in fields for part in (F(field), Value(" "))]


def _as_html(excerpt: str, whole: str) -> str:
    """Return the excerpt with "…" at each end where it leaves out words. Pure."""
    letters, pieces = _letters(whole), excerpt.split(_CUT)
    begin = "" if letters.startswith(_letters(pieces[0])) else "… "
    end = "" if letters.endswith(_letters(pieces[-1])) else " …"
    marked = html.escape(excerpt.strip()).replace(_START, "<mark>").replace(_STOP, "</mark>")
    return f"{begin}{marked}{end}"


def _letters(text: str) -> str:
    # PostgreSQL drops punctuation at the ends of an excerpt, and what looks like a tag within it.
    return re.sub(r"[\W_]+", "", re.sub(r"<[^<>]*>", "", text))
