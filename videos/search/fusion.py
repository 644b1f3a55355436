"""Fuse the ranked lists of several channels into one. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from videos.channels import get_weight

# Reciprocal rank fusion: score = sum of weight / (RRF_K + rank). Cormack, Clarke and Büttcher (2009) found K = 60 robust.
RRF_K = 60


@dataclass(frozen=True)
class RankedScene:
    """A scene's rank (from 1, shared by equal scores) and score in one channel."""

    scene_id: UUID
    video_id: UUID
    channel: str
    rank: int
    score: float


@dataclass(frozen=True)
class FusedScene:
    """A scene's fused score, and its ranks in the channels that found it, strongest first."""

    scene_id: UUID
    video_id: UUID
    score: float
    ranks: tuple[RankedScene, ...]


def rank_scenes(channel: str, rows: Iterable[tuple[UUID, UUID, float]]) -> list[RankedScene]:
    """Rank the scenes that a channel found, given as rows of scene, video and score, best first.

    Scenes of equal score share the best of their ranks: all scenes of a video have the same summary, for example.
    """
    scenes: list[RankedScene] = []
    for position, (scene_id, video_id, score) in enumerate(rows, start=1):
        rank = scenes[-1].rank if scenes and scenes[-1].score == score else position
        scenes.append(RankedScene(scene_id, video_id, channel, rank, score))
    return scenes


def fuse(pools: Sequence[Sequence[RankedScene]], weight_of: Callable[[str], float] = get_weight) -> list[FusedScene]:
    """Merge the channels' pools, best first. Scenes of equal score keep the order in which the pools name them."""
    ranks_by_scene: dict[UUID, list[RankedScene]] = {}
    for pool in pools:
        for scene in pool:
            ranks_by_scene.setdefault(scene.scene_id, []).append(scene)
    fused = []
    for scene_id, ranks in ranks_by_scene.items():
        strongest_first = sorted(ranks, key=lambda scene: (-compute_part(scene, weight_of), scene.channel))
        score = sum(compute_part(scene, weight_of) for scene in strongest_first)
        fused.append(FusedScene(scene_id, ranks[0].video_id, score, tuple(strongest_first)))
    return sorted(fused, key=lambda scene: -scene.score)


def compute_part(scene: RankedScene, weight_of: Callable[[str], float] = get_weight) -> float:
    """Return what a channel adds to the score of a scene that it ranks."""
    return weight_of(scene.channel) / (RRF_K + scene.rank)


def limit_per_video(fused: Sequence[FusedScene], limit: int) -> list[FusedScene]:
    """Keep the best `limit` scenes of each video, in order."""
    counts: dict[UUID, int] = {}
    kept = []
    for scene in fused:
        counts[scene.video_id] = counts.get(scene.video_id, 0) + 1
        if counts[scene.video_id] <= limit:
            kept.append(scene)
    return kept
