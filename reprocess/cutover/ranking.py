"""Rank an owner's scenes for a query in several sets of spaces, as search would if they were active."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from videos.models import EmbeddingSpace, Scene
from videos.search.fusion import FusedScene, fuse
from videos.search.intent import detect_intent
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.query_words import list_languages
from videos.search.pools import POOL_SIZE, search_words
from videos.search.vectors import search_spaces


@dataclass(frozen=True)
class RankedSides:
    """The scenes of each set of spaces, best first, and the notices of the searches."""

    sides: tuple[Sequence[FusedScene], ...]
    notices: tuple[str, ...]


def rank_in_spaces(owner_id: UUID, text: str, sides: Sequence[Sequence[EmbeddingSpace]], video_id: UUID | None = None) -> RankedSides:
    """Rank the scenes of an owner, or of one video. Full text search adds the same to every side."""
    scenes = Scene.objects.filter_searchable(owner_id)
    if video_id:
        scenes = scenes.filter(video_id=video_id)
    spaces = list({space.pk: space for side in sides for space in side}.values())
    intent = detect_intent(text, list_languages(owner_id))
    words = search_words(LexicalQuery(owner_id, intent.text, POOL_SIZE, video_id))
    vectors = search_spaces(
        scenes,
        owner_id,
        spaces,
        intent.text,
        POOL_SIZE,
        language=intent.language,
        also={scene.scene_id for pool in words for scene in pool},
        is_restricted=video_id is not None,
    )
    return RankedSides(tuple(fuse([*words, *vectors.select(side)], intent.emphasis) for side in sides), tuple(vectors.notices))
