"""Join neighboring scenes that answer a query together into passages: an answer often runs over a cut. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from videos.search.fusion import FusedScene

# A longer passage would hide where in it the answer is.
MAX_SCENES = 4
MAX_SECONDS = 60.0
# A neighbor must answer the query at least this probably, in comparison with the best scene.
MIN_SHARE = 0.5


@dataclass(frozen=True)
class ScenePosition:
    """The number of a scene in its video, and its time in seconds."""

    index: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Passage:
    """Neighboring scenes that answer the query together, in order, and their time in seconds."""

    start_s: float
    end_s: float
    scene_ids: tuple[UUID, ...]


def join_neighbors(
    scenes: Sequence[FusedScene], positions: Mapping[UUID, ScenePosition]
) -> tuple[list[FusedScene], dict[UUID, tuple[UUID, ...]]]:
    """Return the scenes, best first, without those that join a better neighbor, and the scenes of each passage in order of time.

    A passage grows from its best scene, whose id is its key and whose place in the ranking it keeps, scene by scene to the better
    neighbor. Scenes without a position (deleted during the search) or without a match of their own stay alone.
    """
    ranked = [scene for scene in scenes if scene.matches and scene.scene_id in positions]
    free = {(scene.video_id, positions[scene.scene_id].index): (rank, scene) for rank, scene in enumerate(ranked)}
    passages: dict[UUID, tuple[UUID, ...]] = {}
    joined: set[UUID] = set()
    for best in ranked:
        if best.scene_id in joined:
            continue
        members = _grow(best, free, positions)
        for member in members:
            del free[member.video_id, positions[member.scene_id].index]
        if len(members) > 1:
            passages[best.scene_id] = tuple(member.scene_id for member in members)
            joined |= {member.scene_id for member in members} - {best.scene_id}
    return [scene for scene in scenes if scene.scene_id not in joined], passages


def _grow(
    best: FusedScene, free: Mapping[tuple[UUID, int], tuple[int, FusedScene]], positions: Mapping[UUID, ScenePosition]
) -> list[FusedScene]:
    """Return the scenes of the passage of its best scene, in order of time."""
    members = [best]
    while len(members) < MAX_SCENES:
        first, last = positions[members[0].scene_id], positions[members[-1].scene_id]
        candidates = []
        for index in (first.index - 1, last.index + 1):
            rank, scene = free.get((best.video_id, index), (0, None))
            if (
                scene
                and scene.probability >= MIN_SHARE * best.probability
                and _measure(first, last, positions[scene.scene_id]) <= MAX_SECONDS
            ):
                candidates.append((rank, index < first.index, scene))
        if not candidates:
            break
        _, is_before, scene = min(candidates, key=lambda candidate: candidate[0])
        members = [scene, *members] if is_before else [*members, scene]
    return members


def _measure(*positions: ScenePosition) -> float:
    """Return the seconds from the start of the first scene to the end of the last one."""
    return max(position.end_s for position in positions) - min(position.start_s for position in positions)
