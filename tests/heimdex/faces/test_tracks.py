"""The faces in a scene's keyframes become first track per person."""

import numpy as np

from heimdex.faces.base import Box, Face
from heimdex.faces.tracks import Track, join_tracks


def make_face(degrees: float, quality: float = 0.5) -> Face:
    """Make a face whose vector points somewhere on the unit circle."""
    angle = np.deg2rad(degrees)
    return Face(Box(0.1, 0.1, 0.3, 0.4), quality, 80, 200.0, np.array([np.cos(angle), np.sin(angle)], dtype=np.float32))


def list_images(tracks: list[Track]) -> list[tuple[int, ...]]:
    return [track.images for track in tracks]


SAME = float(np.cos(np.deg2rad(25)))


def test_one_person_in_three_images_is_one_track_that_keeps_the_best_view() -> None:
    views = [make_face(0, 0.4), make_face(10, 0.9), make_face(5, 0.6)]
    (track,) = join_tracks([[view] for view in views], SAME)
    assert track.best is views[1]
    assert (track.image, track.images) == (1, (0, 1, 2))


def test_two_faces_of_one_image_are_never_one_person() -> None:
    tracks = join_tracks([[make_face(0), make_face(1)], [make_face(0.4)]], SAME)
    assert sorted(list_images(tracks)) == [(0,), (0, 1)] or sorted(list_images(tracks)) == [(0, 1), (1,)]
    # Nor by way of a third that is like both.
    assert all(len(set(track.images)) == len(track.images) for track in tracks)


def test_the_most_similar_are_joined_first() -> None:
    left, right = make_face(0, 0.8), make_face(20, 0.7)
    tracks = join_tracks([[left, right], [make_face(14, 0.1)]], SAME)
    assert [(track.best, track.images) for track in tracks] == [(left, (0,)), (right, (0, 1))]


def test_different_persons_stay_separate_and_the_best_view_comes_first() -> None:
    tracks = join_tracks([[make_face(0, 0.3)], [make_face(90, 0.8)], []], SAME)
    assert [(track.image, track.images) for track in tracks] == [(1, (1,)), (0, (0,))]
    assert join_tracks([[], []], SAME) == []
    assert join_tracks([], SAME) == []


def test_a_similarity_equal_to_the_threshold_joins() -> None:
    first, other = make_face(0), make_face(0)
    assert list_images(join_tracks([[first], [other]], float(first.vector @ other.vector))) == [(0, 1)]


def test_the_most_similar_pair_is_joined_first_in_any_order_of_faces() -> None:
    left, far, near = make_face(0, 0.8), make_face(20, 0.7), make_face(5, 0.1)
    for views in ([[left], [far, near]], [[left], [near, far]]):
        tracks = join_tracks(views, SAME)
        assert [(track.best, track.images) for track in tracks] == [(left, (0, 1)), (far, (1,))]
