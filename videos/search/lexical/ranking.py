"""Find the scenes with the words of a query, best first, in the channels of lexical search."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import Q, QuerySet

from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.models import Scene, SceneWords, Video, VideoWords
from videos.search.lexical import field_search
from videos.search.lexical.base import LexicalMatch, LexicalQuery
from videos.search.lexical.bm25 import compute_coverage, compute_idf
from videos.search.lexical.field_search import Lookup, ScoredScene, count_frequencies, load_stats, search_field
from videos.search.lexical.lexemes import compose_related, count_positions, get_owner_key, list_forms
from videos.search.lexical.query_words import QueryWords, SearchTerm, read_query
from videos.search.lexical.vocabulary import find_corrections
from videos.search.word_conditions import Matches

_CHANNEL_FIELDS = {LEXICAL: field_search.SPOKEN, SHOWN: field_search.SHOWN, ON_SCREEN: field_search.ON_SCREEN}
MAX_TITLE_MATCHES = 500
# A title that covers the whole query counts a tenth of speech that does, a description four tenths of a title.
TITLE_WEIGHT = 0.1
DESCRIPTION_WEIGHT = 0.04


def search_words(query: LexicalQuery) -> Mapping[str, Sequence[LexicalMatch]]:
    """Return the best scenes per channel. Scores are coverages: comparable between channels and queries, from 0 to below 1.1."""
    words = read_query(query.owner_id, query.text)
    if not words.terms:
        return {channel: [] for channel in _CHANNEL_FIELDS}
    rows = _restrict(query, words)
    lookups = _correct(query.owner_id, words.terms, count_frequencies(query.owner_id, _list_lookups(query.owner_id, words.terms)))
    stats = load_stats(query.owner_id)
    scored = {channel: search_field(rows, field, lookups, stats[field.column]) for channel, field in _CHANNEL_FIELDS.items()}
    titles = _score_titles(query.owner_id, lookups, stats[field_search.SPOKEN.column].count)
    scored[LEXICAL] = _add_titles(rows, scored[LEXICAL], titles, query.limit)
    return {channel: _sort(scenes, query.limit) for channel, scenes in scored.items()}


def _restrict(query: LexicalQuery, words: QueryWords) -> QuerySet[SceneWords]:
    """Return the rows that a query may find."""
    rows = SceneWords.objects.filter(owner_id=query.owner_id, video__state=Video.State.INDEXED)
    if query.video_id is not None:
        rows = rows.filter(video_id=query.video_id)
    if query.scenes is not None:
        rows = rows.filter(scene__in=query.scenes.order_by().values("pk"))
    return rows.filter(scene__in=Scene.objects.filter(words.conditions, owner_id=query.owner_id)) if words.conditions else rows


def _list_lookups(owner_id: UUID, terms: Iterable[SearchTerm]) -> list[Lookup]:
    key = get_owner_key(owner_id)
    return [Lookup(tuple(list_forms(key, term.term)), tuple(compose_related(key, term.related))) for term in terms]


def _correct(owner_id: UUID, terms: Sequence[SearchTerm], lookups: list[Lookup]) -> list[Lookup]:
    """Let words that no scene holds find the words that they are a mistyped form of."""
    unknown = {number: terms[number].term.words[0] for number, lookup in enumerate(lookups) if not any((lookup.frequencies or {}).values())}
    corrections = find_corrections(owner_id, set(unknown.values())) if unknown else {}
    if not corrections:
        return lookups
    key = get_owner_key(owner_id)
    corrected = list(lookups)
    for number, word in unknown.items():
        if word in corrections:
            corrected[number] = Lookup(lookups[number].forms, tuple(compose_related(key, corrections[word])))
    return count_frequencies(owner_id, corrected)


def _score_titles(owner_id: UUID, lookups: Sequence[Lookup], count: int) -> dict[UUID, float]:
    """Return the scores of the videos whose title or description holds words of a query."""
    any_word = " | ".join(lookup.query for lookup in lookups)
    matching = VideoWords.objects.filter(Q(Matches("title", any_word)) | Q(Matches("description", any_word)), owner_id=owner_id)
    rows = matching.order_by("pk").values_list("pk", "title", "description")[:MAX_TITLE_MATCHES]
    idfs = [compute_idf(count, lookup.get_frequency(field_search.SPOKEN)) for lookup in lookups]

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
    others = rows.filter(video_id__in=titles).order_by("video_id", "index").values_list("scene_id", "video_id", "index")
    return scored + [ScoredScene(*row, titles[row[1]]) for row in others[: limit + len(known)] if row[0] not in known]


def _sort(scenes: Iterable[ScoredScene], limit: int) -> list[LexicalMatch]:
    best = sorted(scenes, key=lambda scene: (-scene.score, scene.video_id, scene.index))[:limit]
    return [LexicalMatch(scene.scene_id, scene.video_id, scene.score, scene.is_match) for scene in best]
