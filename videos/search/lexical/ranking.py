"""Find the scenes with the words of a query, best first, in the channels of lexical search."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, IntegerField, Q, QuerySet, UUIDField, Value

from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.models import Scene, SceneWords, Video, VideoWords
from videos.search.lexical import fields
from videos.search.lexical.base import LexicalAnswer, LexicalMatch, LexicalQuery
from videos.search.lexical.bm25 import compute_coverage, compute_idf
from videos.search.lexical.candidates import CandidateSource
from videos.search.lexical.field_search import ScoredScene, load_stats, search_field
from videos.search.lexical.fields import Lookup
from videos.search.lexical.lexemes import count_positions, get_owner_key
from videos.search.lexical.query_words import QueryWords, read_query
from videos.search.lexical.word_rows import select_unwritten_videos
from videos.search.word_conditions import Matches

_CHANNEL_FIELDS = {LEXICAL: fields.SPOKEN, SHOWN: fields.SHOWN, ON_SCREEN: fields.ON_SCREEN}
MAX_TITLE_MATCHES = 500
# A title that covers the whole query counts a tenth of speech that does, a description four tenths of a title.
TITLE_WEIGHT = 0.1
DESCRIPTION_WEIGHT = 0.04


def search_words(query: LexicalQuery, source: CandidateSource) -> LexicalAnswer:
    """Return the best scenes per channel among the candidates of a source.

    Scores are coverages: comparable between channels and queries, from 0 to below 1.1.
    """
    words = read_query(query.owner_id, query.text)
    if not words.terms:
        return LexicalAnswer({channel: [] for channel in _CHANNEL_FIELDS})
    rows = _restrict(query, words)
    key = get_owner_key(query.owner_id)
    lookups = [Lookup(tuple(forms), tuple(related)) for forms, related in (term.list_lexemes(key) for term in words.terms)]
    lookups = source.count_frequencies(lookups)
    stats = load_stats(query.owner_id)
    scored = {channel: search_field(source, rows, field, lookups, stats[field.column]) for channel, field in _CHANNEL_FIELDS.items()}
    titles = _score_titles(query.owner_id, lookups, stats[fields.SPOKEN.column].count)
    scored[LEXICAL] = _add_titles(rows, scored[LEXICAL], titles, query.limit)
    matches = {channel: _sort(scenes, query.limit) for channel, scenes in scored.items()}
    return LexicalAnswer(matches, words.corrections, _count_waiting(query))


def _restrict(query: LexicalQuery, words: QueryWords) -> QuerySet[SceneWords]:
    """Return the rows that a query may find."""
    rows = SceneWords.objects.filter(owner_id=query.owner_id, video__owner_id=query.owner_id, video__state=Video.State.INDEXED)
    if query.video_id is not None:
        rows = rows.filter(video_id=query.video_id)
    if query.scenes is not None:
        rows = rows.filter(scene__in=query.scenes.order_by().values("pk"))
    return rows.filter(scene__in=Scene.objects.filter(words.conditions, owner_id=query.owner_id)) if words.conditions else rows


def _count_waiting(query: LexicalQuery) -> int:
    waiting = select_unwritten_videos().filter(owner_id=query.owner_id)
    return (waiting if query.video_id is None else waiting.filter(pk=query.video_id)).count()


def _score_titles(owner_id: UUID, lookups: Sequence[Lookup], count: int) -> dict[UUID, float]:
    """Return the scores of the videos whose title or description holds words of a query."""
    any_word = " | ".join(lookup.query for lookup in lookups)
    matching = VideoWords.objects.filter(Q(Matches("title", any_word)) | Q(Matches("description", any_word)), owner_id=owner_id)
    rows = matching.order_by("pk").values_list("pk", "title", "description")[:MAX_TITLE_MATCHES]
    idfs = [compute_idf(count, lookup.get_frequency(fields.SPOKEN)) for lookup in lookups]

    def cover(vector: str) -> float:
        parts = (
            (idf, float(count_positions(vector, (*lookup.forms, *lookup.related)) > 0)) for idf, lookup in zip(idfs, lookups, strict=True)
        )
        return compute_coverage(parts, sum(idfs))

    return {video_id: TITLE_WEIGHT * cover(title) + DESCRIPTION_WEIGHT * cover(description) for video_id, title, description in rows}


def _add_titles(rows: QuerySet[SceneWords], scenes: Sequence[ScoredScene], titles: Mapping[UUID, float], limit: int) -> list[ScoredScene]:
    """Add the scores of videos to those of their scenes. Scenes of these videos without the words are found by the title alone."""
    if not titles:
        return list(scenes)
    scored = [
        replace(scene, score=scene.score + titles[scene.video_id], is_match=True) if scene.video_id in titles else scene for scene in scenes
    ]
    known = {scene.scene_id for scene in scenes}
    best_first = sorted(titles, key=lambda video_id: (-titles[video_id], video_id))
    place = Func(Value(best_first, ArrayField(UUIDField())), F("video_id"), function="array_position", output_field=IntegerField())
    others = rows.filter(video_id__in=titles).order_by(place, "index").values_list("scene_id", "video_id", "index")
    return scored + [ScoredScene(*row, titles[row[1]]) for row in others[: limit + len(known)] if row[0] not in known]


def _sort(scenes: Iterable[ScoredScene], limit: int) -> list[LexicalMatch]:
    best = sorted(scenes, key=lambda scene: (-scene.score, scene.video_id, scene.index))[:limit]
    return [LexicalMatch(scene.scene_id, scene.video_id, scene.score, scene.is_match) for scene in best]
