"""The quality of a view is the score of its worst property."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from heimdex.faces.quality import Landmarks, measure_frontality, measure_sharpness, rate_view


def make_landmarks(nose_x: float, nose_y: float = 60.0) -> Landmarks:
    return Landmarks((10.0, 40.0), (50.0, 40.0), (nose_x, nose_y))


def test_the_worst_property_decides() -> None:
    assert rate_view(side_px=40, sharpness=100.0, frontality=1.0, confidence=1.0) == pytest.approx(0.4)
    # Sharpness is a variance, so its root counts.
    assert rate_view(side_px=100, sharpness=25.0, frontality=1.0, confidence=1.0) == pytest.approx(0.5)
    assert rate_view(side_px=100, sharpness=100.0, frontality=0.3, confidence=1.0) == pytest.approx(0.3)
    assert rate_view(side_px=100, sharpness=100.0, frontality=1.0, confidence=0.2) == pytest.approx(0.2)


def test_quality_is_between_0_and_1_and_a_perfect_view_has_1() -> None:
    assert rate_view(side_px=100, sharpness=100.0, frontality=1.0, confidence=1.0) == 1.0
    assert rate_view(side_px=99, sharpness=100.0, frontality=1.0, confidence=1.0) == pytest.approx(0.99)
    assert rate_view(side_px=100, sharpness=98.01, frontality=1.0, confidence=1.0) == pytest.approx(0.99)
    assert rate_view(side_px=1000, sharpness=9000.0, frontality=5.0, confidence=5.0) == 1.0
    assert rate_view(side_px=100, sharpness=100.0, frontality=1.0, confidence=-0.5) == 0.0


@pytest.mark.parametrize(("nose_x", "expected"), [(30, 1.0), (20, 0.5), (40, 0.5), (10, 0.0), (50, 0.0), (0, 0.0), (60, 0.0), (25, 0.75)])
def test_the_nose_between_the_eyes_shows_how_far_a_face_is_turned(nose_x: float, expected: float) -> None:
    assert measure_frontality(make_landmarks(nose_x)) == pytest.approx(expected)


def test_a_tilted_face_is_not_turned_away() -> None:
    # The eyes are 30 and 40 pixels apart in x and y; the nose is below their middle, at a right angle.
    assert measure_frontality(Landmarks((0.0, 0.0), (30.0, 40.0), (15.0 - 40.0, 20.0 + 30.0))) == pytest.approx(1.0)
    assert measure_frontality(Landmarks((0.0, 0.0), (30.0, 40.0), (7.5 - 40.0, 10.0 + 30.0))) == pytest.approx(0.5)


def test_eyes_at_one_point_score_zero() -> None:
    assert measure_frontality(Landmarks((5.0, 5.0), (5.0, 5.0), (5.0, 9.0))) == 0.0


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    # A single bright pixel: the Laplacian is -4 · 255 there and 255 in four neighbors; all else is 0.
    pixels = np.zeros((112, 112), dtype=np.uint8)
    pixels[50, 60] = 255
    values = np.zeros((110, 110))
    values[49, 59] = -4 * 255
    values[48, 59] = values[50, 59] = values[49, 58] = values[49, 60] = 255
    assert measure_sharpness(Image.fromarray(pixels), (0, 0, 112, 112)) == pytest.approx(values.var(), rel=1e-5)


@pytest.mark.parametrize("edge", ["first row", "last row", "first column", "last column"])
def test_every_neighbor_counts_once(edge: str) -> None:
    """A bright line on an edge reaches only the pixels beside it."""
    pixels = np.zeros((112, 112), dtype=np.uint8)
    pixels[{"first row": (0,), "last row": (111,), "first column": (slice(None), 0), "last column": (slice(None), 111)}[edge]] = 255
    values = np.zeros((110, 110))
    values[0] = 255
    assert measure_sharpness(Image.fromarray(pixels), (0, 0, 112, 112)) == pytest.approx(values.var(), rel=1e-5)


def test_faces_are_resized_to_one_size_for_comparison() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 300), dtype=np.uint8)).filter(ImageFilter.GaussianBlur(2))
    corners = (40.0, 60.0, 152.0, 172.0)
    doubled = noise.resize((600, 600), Image.Resampling.BICUBIC)
    same = measure_sharpness(doubled, tuple(2 * corner for corner in corners))  # type: ignore[arg-type]
    assert same == pytest.approx(measure_sharpness(noise, corners), rel=0.1)
    # Half as many pixels of the same detail: less is seen of it.
    small = noise.resize((75, 75), Image.Resampling.BOX)
    assert measure_sharpness(small, tuple(corner / 4 for corner in corners)) < measure_sharpness(noise, corners)  # type: ignore[arg-type]
