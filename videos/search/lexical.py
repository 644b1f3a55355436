"""The lexical channel: PostgreSQL's full text search over what is said, seen, and the videos' titles."""

import html
import re
from collections.abc import Collection
from functools import partial, reduce
from operator import or_
from uuid import UUID

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank
from django.db.models import Case, F, FloatField, QuerySet, TextField, Value, When
from django.db.models.functions import Concat, Length

from videos.models import Scene, Video
from videos.search.fusion import LEXICAL, Ranked

CONFIG = "english"
# A query in which a person uses these means exactly what it says.
_OPERATORS = re.compile(r'["]|(^|\s)-\w')
_MOST_WORDS = 32
_MOST_TITLES = 500
# Control characters that no text we store holds, so that the text around them can be escaped.
_START, _STOP = "\x02", "\x03"
# Between two pieces of a text.
_CUT = " … "
_SHOWN_WHOLE = 300


def query_for(text: str) -> SearchQuery:
    """Return a query that any of the words satisfies, or exactly what quotes and minus signs say."""
    if _OPERATORS.search(text):
        return SearchQuery(text, search_type="websearch", config=CONFIG)
    words = re.findall(r"\w+", text)[:_MOST_WORDS]
    return reduce(or_, (SearchQuery(word, config=CONFIG) for word in words)) if words else SearchQuery("", config=CONFIG)


def lexical_pool(scenes: QuerySet[Scene], owner_id: UUID, text: str, size: int) -> list[Ranked]:
    """Return the best `size` scenes by words; a scene whose video's title matches counts too, but less."""
    query = query_for(text)
    titled = list(Video.objects.filter(owner_id=owner_id, search_vector=query).values_list("pk", flat=True)[:_MOST_TITLES])
    # Scenes that hold all the words come before those that hold some of them more often.
    complete = Case(When(search_vector=SearchQuery(text, config=CONFIG), then=Value(1.0)), default=Value(0.0), output_field=FloatField())
    in_scene = SearchRank(F("search_vector"), query, normalization=Value(1)) + complete
    found = scenes.filter(search_vector=query) | scenes.filter(video_id__in=titled)
    score = in_scene + SearchRank(F("video__search_vector"), query) * Value(0.1) if titled else in_scene
    rows = found.annotate(score=score).order_by("-score", "pk").values_list("pk", "video_id", "score")[:size]
    return [Ranked(scene_id, video_id, LEXICAL, rank, float(value)) for rank, (scene_id, video_id, value) in enumerate(rows, start=1)]


def highlights(scene_ids: Collection[UUID], text: str) -> dict[UUID, str]:
    """Return an excerpt of each scene as HTML: everything escaped, the words that matched within <mark>, "…" where text was cut.

    A short text is shown whole, with or without a match.
    """
    whole = Concat("transcript", Value(" "), "visual_text", output_field=TextField())
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
