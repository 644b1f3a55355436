"""Evaluate a cutover before it is made: run the owner's recorded queries in the spaces before and after it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from reprocess.cutover.compare import Comparison, compare_results
from videos.models import EmbeddingSpace
from videos.search.fusion import fuse, limit_per_video
from videos.search.lexical.base import LexicalQuery
from videos.search.recorded_queries import list_evaluation_queries
from videos.search.scenes import select_searchable_scenes
from videos.search.service import MAX_PER_VIDEO, POOL_SIZE, search_words
from videos.search.vectors import search_spaces

MAX_QUERIES = 50


def compare_spaces(owner_id: UUID, before: Sequence[EmbeddingSpace], after: Sequence[EmbeddingSpace]) -> dict[str, Any]:
    """Return how the results of the owner's saved and recent queries would change. Full text search counts the same in both."""
    scenes = select_searchable_scenes(owner_id)
    spaces = list({space.pk: space for space in (*before, *after)}.values())
    changes, notices = [], set()
    for query in list_evaluation_queries(owner_id, MAX_QUERIES):
        words = search_words(LexicalQuery(owner_id, query.text, POOL_SIZE))
        vectors = search_spaces(scenes, owner_id, spaces, query.text, POOL_SIZE)
        notices.update(vectors.notices)
        ranked_before, ranked_after = (
            [hit.scene_id for hit in limit_per_video(fuse([*words, *vectors.select(side)]), MAX_PER_VIDEO)] for side in (before, after)
        )
        changes.append(compare_results(query.pk, ranked_before, ranked_after))
    return {**Comparison(tuple(changes)).as_data(), "notices": sorted(notices)}
