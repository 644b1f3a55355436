"""Find the scenes with the words of a query, best first."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add, or_
from uuid import UUID

from django.contrib.postgres.search import SearchQueryField, SearchRank
from django.db.models import Case, F, Func, Q, QuerySet, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast

from videos.channels import LEXICAL, ON_SCREEN
from videos.models import Scene, SceneWords, VideoWords
from videos.search.lexical.base import LexicalMatch, LexicalQuery
from videos.search.lexical.lexemes import compose_any_form, get_owner_key
from videos.search.lexical.query_words import read_query
from videos.search.word_conditions import Matches

# By column: the weights of the channel `lexical`.
WEIGHTS = {"spoken": 1.0, "shown": 0.4}
MAX_TITLE_MATCHES = 500
# A matching title counts a tenth as much as matching words.
TITLE_WEIGHT = 0.1


def search_words(query: LexicalQuery) -> Mapping[str, Sequence[LexicalMatch]]:
    """Return the best scenes per channel."""
    words = read_query(query.owner_id, query.text, list_languages(query.owner_id))
    if not words.terms:
        return {LEXICAL: [], ON_SCREEN: []}
    key = get_owner_key(query.owner_id)
    forms = [compose_any_form(key, term) for term in words.terms]
    any_word, all_words = " | ".join(forms), " & ".join(forms)
    titled = list(
        VideoWords.objects.filter(Q(Matches("title", any_word)) | Q(Matches("description", any_word)), owner_id=query.owner_id)
        .order_by("pk")
        .values_list("pk", flat=True)[:MAX_TITLE_MATCHES]
    )
    scenes = restrict(query).filter(words.conditions)
    rows = SceneWords.objects.filter(owner_id=query.owner_id, scene__in=scenes)
    in_speech = reduce(or_, (Q(Matches(column, any_word)) for column in WEIGHTS)) | Q(video_id__in=titled)
    has_all = Case(*(When(Matches(column, all_words), then=Value(1.0)) for column in WEIGHTS), default=Value(0.0))
    score = reduce(add, (_rank(column, any_word) * Value(weight) for column, weight in WEIGHTS.items())) + has_all
    if titled:
        score = score + (_rank("video__lexemes__title", any_word) + _rank("video__lexemes__description", any_word) * 0.4) * Value(
            TITLE_WEIGHT
        )
    return {
        LEXICAL: _select_best(rows.filter(in_speech), score, query.limit),
        ON_SCREEN: _select_best(rows.filter(Matches("on_screen", any_word)), _rank("on_screen", any_word), query.limit),
    }


def list_languages(owner_id: UUID) -> list[str]:
    """Return the languages of an owner's texts."""
    languages = VideoWords.objects.filter(owner_id=owner_id).annotate(language=Func(F("languages"), function="unnest"))
    return sorted(languages.order_by().values_list("language", flat=True).distinct())


def restrict(query: LexicalQuery) -> QuerySet[Scene]:
    """Return the scenes that a query may find."""
    scenes = Scene.objects.filter_searchable(query.owner_id)
    if query.video_id is not None:
        scenes = scenes.filter(video_id=query.video_id)
    return scenes if query.scenes is None else scenes.filter(pk__in=query.scenes.values("pk"))


def _rank(column: str, query: str) -> SearchRank:
    return SearchRank(F(column), Cast(Value(query), SearchQueryField()), weights=[1.0, 1.0, 1.0, 1.0], normalization=Value(1))


def _select_best(rows: QuerySet[SceneWords], score: CombinedExpression | SearchRank, limit: int) -> list[LexicalMatch]:
    best = rows.annotate(score=score).order_by("-score", "video_id", "scene__index").values_list("pk", "video_id", "score")[:limit]
    return [LexicalMatch(*row) for row in best]
