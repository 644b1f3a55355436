"""Rank an owner's scenes for a query in several sets of spaces, as search would if they were active."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from videos.models import EmbeddingSpace, Scene
from videos.search.fusion import FusedScene, RankedScene, fuse
from videos.search.intent import detect_intent
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.query_words import list_languages
from videos.search.pools import POOL_SIZE, search_words
from videos.search.vectors import VectorSearch, search_spaces


@dataclass(frozen=True)
class RankedSides:
    """The scenes of each set of spaces, best first, the scenes that each of its channels matches alone, and the notices of the searches."""

    sides: tuple[Sequence[FusedScene], ...]
    channels: tuple[Mapping[str, Sequence[UUID]], ...]
    notices: tuple[str, ...]


def rank_in_spaces(
    owner_id: UUID,
    text: str,
    sides: Sequence[Sequence[EmbeddingSpace]],
    video_id: UUID | None = None,
    *,
    within: Collection[UUID] | None = None,
) -> RankedSides:
    """Rank the scenes of an owner, or of one video, or only those `within` a set. Full text search adds the same to every side."""
    scenes = Scene.objects.filter_searchable(owner_id)
    if video_id:
        scenes = scenes.filter(video_id=video_id)
    spaces = list({space.pk: space for side in sides for space in side}.values())
    sample = None if within is None else scenes.filter(pk__in=within)
    intent = detect_intent(text, list_languages(owner_id))
    words = search_words(LexicalQuery(owner_id, intent.text, POOL_SIZE, video_id, sample))
    search = VectorSearch(
        owner_id,
        scenes if sample is None else sample,
        spaces,
        intent.text,
        POOL_SIZE,
        language=intent.language,
        is_restricted=video_id is not None or within is not None,
        # Outside a sample, only one side has vectors.
        neighbors=sample,
    )
    vectors = search_spaces(search, lambda _: {scene.scene_id for pool in words for scene in pool})
    return RankedSides(
        tuple(fuse([*words, *vectors.select(side)], intent.emphasis) for side in sides),
        tuple({space.channel: _list_matches(vectors.by_space.get(space.pk, ())) for space in side} for side in sides),
        tuple(vectors.notices),
    )


def _list_matches(pool: Sequence[RankedScene]) -> list[UUID]:
    return [scene.scene_id for scene in pool if scene.is_match]
