"""Ask the search service, and read from its answer what each channel and each mode ranks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from heimdex.accounts.models import User
from videos.evaluation.report import FUSION
from videos.search.fusion import RankedScene, fuse
from videos.search.lexical.base import LEXICAL_CHANNELS
from videos.search.service import Hit, SearchRequest, search

# More than all channels contribute together, so that the answer has every scene of every channel.
ALL_HITS = 5000
WORDS, VECTORS = "words", "vectors"
# The answer of search, and the same fusion over some of the channels only.
MODES = (FUSION, WORDS, VECTORS)


@dataclass(frozen=True)
class RankedAnswer:
    """The scenes that search answers to a query, best first, by mode and by channel, and its notices."""

    by_mode: Mapping[str, Sequence[UUID]]
    by_channel: Mapping[str, Sequence[UUID]]
    notices: tuple[str, ...]


def rank_query(owner: User, text: str, video_id: UUID | None = None) -> RankedAnswer:
    """Search an owner's library, or one video of it, without recording the query."""
    request = SearchRequest(text, limit=ALL_HITS, per_video=ALL_HITS, video_id=video_id, ranking_only=True)
    answer = search(owner, request)
    pools = read_pools(answer.hits)
    by_mode = {
        FUSION: [hit.scene.pk for hit in answer.hits],
        WORDS: _fuse_pools(pool for channel, pool in pools.items() if channel in LEXICAL_CHANNELS),
        VECTORS: _fuse_pools(pool for channel, pool in pools.items() if channel not in LEXICAL_CHANNELS),
    }
    by_channel = {channel: [scene.scene_id for scene in pool] for channel, pool in pools.items()}
    return RankedAnswer(by_mode, by_channel, answer.notices)


def read_pools(hits: Iterable[Hit]) -> dict[str, list[RankedScene]]:
    """Return the ranking of each channel, by the channel's name.

    Scenes of equal rank are in the order in which the channels list them: by video, then by time.
    """
    rows = defaultdict(list)
    for hit in hits:
        for match in hit.matches:
            scene = hit.scene
            rows[match.channel].append((match.rank, scene.video_id, scene.index, scene.pk, match.score, match.certainty))
    return {
        channel: [
            RankedScene(scene_id, video_id, channel, rank, score, certainty)
            for rank, video_id, _, scene_id, score, certainty in sorted(rows[channel])
        ]
        for channel in sorted(rows)
    }


def _fuse_pools(pools: Iterable[Sequence[RankedScene]]) -> list[UUID]:
    return [scene.scene_id for scene in fuse(list(pools))]
