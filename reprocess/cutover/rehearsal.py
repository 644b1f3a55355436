"""Run an owner's recorded queries on both sides of a switch, before it is made."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from reprocess.cutover.compare import Comparison, compare_answers
from videos.models import EmbeddingSpace
from videos.search.fusion import fuse, limit_per_video
from videos.search.lexical import lexical_pools
from videos.search.queries import telling_queries
from videos.search.service import PER_VIDEO, POOL, searchable
from videos.search.vectors import vector_pools

MOST_QUERIES = 50


def rehearse(owner_id: UUID, before: Sequence[EmbeddingSpace], after: Sequence[EmbeddingSpace]) -> dict[str, Any]:
    """Return how the answers to the owner's saved and recent queries would change; words count the same on both sides."""
    scenes = searchable(owner_id)
    every = list({space.pk: space for space in (*before, *after)}.values())
    changes, notices = [], set()
    for query in telling_queries(owner_id, MOST_QUERIES):
        words = lexical_pools(scenes, owner_id, query.text, POOL)
        vectors = vector_pools(scenes, owner_id, every, query.text, POOL)
        notices.update(vectors.notices)
        earlier, later = (
            [entry.scene_id for entry in limit_per_video(fuse([*words, *vectors.of(side)]), PER_VIDEO)] for side in (before, after)
        )
        changes.append(compare_answers(query.pk, earlier, later))
    return {**Comparison(tuple(changes)).as_data(), "notices": sorted(notices)}
