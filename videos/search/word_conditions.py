"""Conditions on the words of scenes, as filters: a phrase or a word is contained in some fields. They hold exactly, also negated.

Each is a subquery of the owner's rows that the index of words answers, so it costs what matches and not what the installation holds.
"""

from collections.abc import Callable, Collection, Sequence
from functools import reduce
from operator import or_
from uuid import UUID

from django.contrib.postgres.search import SearchQueryField
from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Cast

from heimdex.text_analysis import QueryTerm, analyze_query
from videos.models import SceneWords, VideoWords
from videos.search.lexical.lexemes import compose_any_form, compose_exact, compose_sequence, get_owner_key
from videos.search.parsed_query import ON_SCREEN, SHOWN, SPOKEN, TITLE

DESCRIPTION = "description"
_SCENE_COLUMNS = {SPOKEN: "spoken", SHOWN: "shown", ON_SCREEN: "on_screen"}
_VIDEO_COLUMNS = {TITLE: "title", DESCRIPTION: "description"}
FIELDS = (*_SCENE_COLUMNS, *_VIDEO_COLUMNS)


class Matches(Func):
    """Whether a tsvector matches a tsquery (`@@`), both as they are, without a text search configuration."""

    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, column: str, query: str) -> None:
        """Compare a column with the text of a tsquery."""
        super().__init__(F(column), Cast(Value(query), SearchQueryField()))


def contains_phrase(owner_id: UUID, phrase: str, fields: Collection[str] = FIELDS) -> Q:
    """Match an owner's scenes in which a phrase stands within one of the fields, word for word.

    Differences of case and accents are ignored. In scripts without spaces the phrase may begin and end within a word. A phrase without
    words is in no scene.
    """
    return _contains(owner_id, analyze_query(phrase, (), own_language=""), fields, compose_exact)


def contains_word(owner_id: UUID, word: str, fields: Collection[str] = FIELDS, languages: Sequence[str] = ()) -> Q:
    """Match an owner's scenes in which a word stands within one of the fields, in any form that it has in its language or in `languages`.

    A word of several parts (node.js, 東京バナナ) matches where they follow each other.
    """
    return _contains(owner_id, analyze_query(word, languages), fields, compose_any_form)


def _contains(owner_id: UUID, terms: Sequence[QueryTerm], fields: Collection[str], compose: Callable[[str, QueryTerm], str]) -> Q:
    key = get_owner_key(owner_id)
    return contains_query(owner_id, compose_sequence([compose(key, term) for term in terms], terms) if terms else "", fields)


def contains_query(owner_id: UUID, query: str, fields: Collection[str] = FIELDS) -> Q:
    """Match an owner's scenes in which one of the fields matches the text of a tsquery. An empty one matches nothing."""
    if not query:
        return Q(pk__in=())
    conditions = []
    if columns := [_SCENE_COLUMNS[field] for field in fields if field in _SCENE_COLUMNS]:
        matches = reduce(or_, (Q(Matches(column, query)) for column in columns))
        conditions.append(Q(pk__in=SceneWords.objects.filter(matches, owner_id=owner_id).values("scene_id")))
    if columns := [_VIDEO_COLUMNS[field] for field in fields if field in _VIDEO_COLUMNS]:
        matches = reduce(or_, (Q(Matches(column, query)) for column in columns))
        conditions.append(Q(video_id__in=VideoWords.objects.filter(matches, owner_id=owner_id).values("video_id")))
    return reduce(or_, conditions, Q(pk__in=()))
