"""Join the faces of a scene's keyframes into one track per person. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from heimdex.faces.base import Face


@dataclass(frozen=True, eq=False)
class Track:
    """One person in a scene: the best view, the position of its image, and the positions of all images that show the person."""

    best: Face
    image: int
    images: tuple[int, ...]


def join_tracks(faces_by_image: Sequence[Sequence[Face]], threshold: float) -> list[Track]:
    """Join similar faces of several images into tracks, and return the tracks with the best view first.

    The most similar pairs are joined first, down to a cosine of `threshold`. Two faces of one image are never the same person.
    """
    views = [(image, face) for image, faces in enumerate(faces_by_image) for face in faces]
    groups = [[position] for position in range(len(views))]
    for pair in _rank_pairs(views, threshold):
        first, second = (next(group for group in groups if position in group) for position in pair)
        if not {views[position][0] for position in first} & {views[position][0] for position in second}:
            first.extend(second)
            groups.remove(second)
    return sorted((_build_track([views[position] for position in group]) for group in groups), key=lambda track: -track.best.quality)


def _rank_pairs(views: Sequence[tuple[int, Face]], threshold: float) -> list[tuple[int, int]]:
    """Return the pairs of views from different images with a cosine of at least `threshold`, the most similar first."""
    pairs = (
        (float(views[first][1].vector @ views[second][1].vector), first, second)
        for first, second in combinations(range(len(views)), 2)
        if views[first][0] != views[second][0]
    )
    return [(first, second) for similarity, first, second in sorted(pairs, key=lambda pair: -pair[0]) if similarity >= threshold]


def _build_track(views: Sequence[tuple[int, Face]]) -> Track:
    image, best = max(views, key=lambda view: view[1].quality)
    return Track(best, image, tuple(sorted(image for image, _ in views)))
