"""The faces of a scene's pictures, joined to one track for each person. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from heimdex.faces.base import Face


@dataclass(frozen=True, eq=False)
class Track:
    """One person in a scene: the best view, the picture it is in, and all pictures in which the person was seen (positions)."""

    best: Face
    picture: int
    pictures: tuple[int, ...]


def joined(faces_by_picture: Sequence[Sequence[Face]], same: float) -> list[Track]:
    """Join the faces of some pictures that are alike, the best view first.

    The likest two are joined first, down to a cosine of `same`; two faces of one picture are never one person.
    """
    seen = [(picture, face) for picture, faces in enumerate(faces_by_picture) for face in faces]
    groups = [[place] for place in range(len(seen))]
    for one, other in _likest_first(seen, same):
        first, second = (next(group for group in groups if place in group) for place in (one, other))
        if not {seen[place][0] for place in first} & {seen[place][0] for place in second}:
            first.extend(second)
            groups.remove(second)
    return sorted((_track([seen[place] for place in group]) for group in groups), key=lambda track: -track.best.quality)


def _likest_first(seen: Sequence[tuple[int, Face]], same: float) -> list[tuple[int, int]]:
    alike = (
        (float(seen[one][1].vector @ seen[other][1].vector), one, other)
        for one, other in combinations(range(len(seen)), 2)
        if seen[one][0] != seen[other][0]
    )
    return [(one, other) for similarity, one, other in sorted(alike, key=lambda pair: -pair[0]) if similarity >= same]


def _track(members: Sequence[tuple[int, Face]]) -> Track:
    picture, best = max(members, key=lambda member: member[1].quality)
    return Track(best, picture, tuple(sorted(picture for picture, _ in members)))
