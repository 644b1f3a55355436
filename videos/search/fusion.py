"""Fuse ranked lists into one. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

# Reciprocal rank fusion: score = sum of weight / (K + rank), Cormack, Clarke and Büttcher 2009, who found K = 60 robust.
K = 60

LEXICAL = "lexical"
ON_SCREEN = "on_screen"
PERSON = "person"
# Words that were really said or seen weigh most; the summary is shared by all scenes of a video and tells them apart least.
WEIGHTS: Mapping[str, float] = {LEXICAL: 1.5, ON_SCREEN: 1.2, PERSON: 1.0, "transcript": 1.0, "visual": 0.8, "clip": 1.0, "summary": 0.3}


@dataclass(frozen=True)
class Ranked:
    """One scene's place in one channel's list (rank from 1, shared by equal scores) and its score there."""

    scene_id: UUID
    video_id: UUID
    channel: str
    rank: int
    score: float


@dataclass(frozen=True)
class Fused:
    """One scene's place in the answer, and the channels that brought it there, strongest first."""

    scene_id: UUID
    video_id: UUID
    score: float
    because: tuple[Ranked, ...]


def ranked(channel: str, rows: Iterable[tuple[UUID, UUID, float]]) -> list[Ranked]:
    """Return one channel's list of scenes, from rows of scene, video and score, best first.

    Scenes of equal score share the best of their places: all scenes of a video have the same summary, and none of them fits better.
    """
    places: list[Ranked] = []
    for place, (scene_id, video_id, score) in enumerate(rows, start=1):
        rank = places[-1].rank if places and places[-1].score == score else place
        places.append(Ranked(scene_id, video_id, channel, rank, score))
    return places


def fuse(pools: Sequence[Sequence[Ranked]], weights: Mapping[str, float] = WEIGHTS) -> list[Fused]:
    """Merge the channels' pools, best first; scenes of equal score stay in the order in which the pools name them."""
    found: dict[UUID, list[Ranked]] = {}
    for pool in pools:
        for place in pool:
            found.setdefault(place.scene_id, []).append(place)
    fused = []
    for scene_id, places in found.items():
        because = sorted(places, key=lambda place: (-weights[place.channel] / (K + place.rank), place.channel))
        score = sum(weights[place.channel] / (K + place.rank) for place in because)
        fused.append(Fused(scene_id, places[0].video_id, score, tuple(because)))
    return sorted(fused, key=lambda entry: -entry.score)


def limit_per_video(fused: Sequence[Fused], most: int) -> list[Fused]:
    """Keep at most `most` scenes of each video, the best ones, in order."""
    seen: dict[UUID, int] = {}
    kept = []
    for entry in fused:
        seen[entry.video_id] = seen.get(entry.video_id, 0) + 1
        if seen[entry.video_id] <= most:
            kept.append(entry)
    return kept
