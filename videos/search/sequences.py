"""Find scenes that are followed by others: first one thing, then another within some seconds of the same video. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from videos.search.fusion import FusedScene


@dataclass(frozen=True)
class Interval:
    """The time of a scene in its video, in seconds."""

    start_s: float
    end_s: float


def join_sequences(
    first: Iterable[FusedScene], following: Iterable[FusedScene], times: Mapping[UUID, Interval], within_s: float
) -> tuple[list[FusedScene], dict[UUID, UUID]]:
    """Return the scenes of `first` that a scene of `following` comes after, best pair first, and which scene that is.

    A scene comes after another in the same video if it starts later, and at most `within_s` seconds after the other's end. Of several
    such scenes the best counts, and of equally good ones the earliest. Scores add up. The work grows with n log n and with the number of
    pairs inside the window.
    """
    by_video: dict[UUID, list[tuple[float, FusedScene]]] = {}
    for scene in following:
        if scene.scene_id in times:
            by_video.setdefault(scene.video_id, []).append((times[scene.scene_id].start_s, scene))
    for candidates in by_video.values():
        candidates.sort(key=lambda candidate: candidate[0])
    joined, successors = [], {}
    for scene in first:
        interval, candidates = times.get(scene.scene_id), by_video.get(scene.video_id, [])
        if interval is None:
            continue
        begin = bisect_right(candidates, interval.start_s, key=lambda candidate: candidate[0])
        end = bisect_right(candidates, interval.end_s + within_s, key=lambda candidate: candidate[0])
        if begin < end:
            _, best = max(candidates[begin:end], key=lambda candidate: (candidate[1].score, -candidate[0]))
            joined.append(replace(scene, score=scene.score + best.score))
            successors[scene.scene_id] = best.scene_id
    return sorted(joined, key=lambda scene: -scene.score), successors
