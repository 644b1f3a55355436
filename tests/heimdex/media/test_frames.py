"""Frames are downscaled exactly, and compared at the exact thresholds."""

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.media import frames
from heimdex.media.frames import compute_distance, correlate, downscale_frame, has_returned, is_camera_move
from tests.heimdex.media.synthetic import make_flat, make_frame, make_shot


@pytest.mark.parametrize(("size", "divisor"), [((320, 180), 1), ((768, 432), 3), ((1280, 720), 5), ((1290, 722), 5), ((2000, 1080), 8)])
def test_every_pixel_is_the_average_of_a_line_through_its_middle(size: tuple[int, int], divisor: int) -> None:
    width, height = size
    gray = np.random.default_rng(3).integers(16, 236, (height * 3 // 2, width), dtype=np.uint8)
    luma = downscale_frame(av.VideoFrame.from_ndarray(gray, format="yuv420p")).luma

    down, across = height // divisor, width // divisor
    lines = gray[:height][divisor // 2 : down * divisor : divisor, : across * divisor]
    expected = lines.reshape(down, across, divisor).mean(axis=2)
    assert luma.shape == (down, across)
    assert np.abs(luma - expected).max() <= 0.51


SIDE = 96


def make_texture(seed: int) -> NDArray[np.float64]:
    """Build a zero-mean texture of 2 × 2 blocks, so that halving the image keeps every value."""
    blocks = np.random.default_rng(seed).choice([-1.0, 1.0], (SIDE // 2, SIDE // 2))
    return np.kron(blocks, np.ones((2, 2)))


def to_luma(texture: NDArray[np.float64], scale: float = 50.0) -> NDArray[np.uint8]:
    return np.round(128 + scale * texture).astype(np.uint8)


def mix_textures(correlation: float, shift: int = 6) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Build an image, and its shifted copy mixed with another texture so that the copy correlates with it this much."""
    texture, other = make_texture(1), make_texture(2)
    moved = np.roll(texture, (shift, shift), axis=(0, 1))
    return to_luma(texture), to_luma(correlation * moved + np.sqrt(1 - correlation**2) * other)


def test_distance_is_the_root_mean_square_difference() -> None:
    assert compute_distance(make_frame(miniature=make_flat(10)), make_frame(miniature=make_flat(45))) == 35.0
    half = make_flat(0)
    half[:10] = 20
    assert compute_distance(make_frame(miniature=make_flat(0)), make_frame(miniature=half)) == 10.0


def test_correlation_ignores_brightness_and_contrast_and_is_zero_for_a_blank_frame() -> None:
    first = make_frame(miniature=make_shot(0))
    assert correlate(first, make_frame(miniature=make_shot(12, scale=3, mean=20))) == 0.4
    assert correlate(first, make_frame(miniature=make_shot(40))) == -1.0
    assert correlate(first, make_frame(miniature=make_flat(90))) == 0.0


@pytest.mark.parametrize(("distance", "expected"), [(34.0, True), (35.0, False), (36.0, False)])
def test_an_image_has_returned_below_35_percent_of_the_distance(distance: float, expected: bool) -> None:
    before, between = make_frame(miniature=make_flat(0)), make_frame(miniature=make_flat(100))
    assert has_returned(before, between, make_frame(miniature=make_flat(distance))) is expected


@pytest.mark.parametrize(("correlation", "moved"), [(1.0, True), (0.87, True), (0.73, False), (0.3, False)])
def test_a_camera_move_shows_similar_content_at_another_position(correlation: float, moved: bool) -> None:
    assert is_camera_move(*mix_textures(correlation)) is moved


def test_a_correlation_at_the_threshold_is_a_camera_move(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = mix_textures(0.8)
    small, center = before[::2, ::2], after[::2, ::2][9:-9, 9:-9]
    exact = float(cv2.matchTemplate(small, center, cv2.TM_CCOEFF_NORMED).max())
    monkeypatch.setattr(frames, "MIN_MOVE_CORRELATION", exact)
    assert is_camera_move(before, after)
    monkeypatch.setattr(frames, "MIN_MOVE_CORRELATION", np.nextafter(exact, 2))
    assert not is_camera_move(before, after)


@pytest.mark.parametrize(("shift", "moved"), [(0, True), (16, True), (22, False)])
def test_a_move_of_up_to_a_fifth_of_the_image_is_detected(shift: int, moved: bool) -> None:
    texture = make_texture(1)
    shifted = np.roll(texture, shift, axis=1)
    # New content enters at the edge.
    shifted[:, :shift] = make_texture(3)[:, :shift]
    assert is_camera_move(to_luma(texture), to_luma(shifted)) is moved


@pytest.mark.parametrize(("bright_share", "moved"), [(0.5, True), (0.3, False)])
def test_an_image_without_contrast_does_not_prove_a_move(bright_share: float, moved: bool) -> None:
    # Two values 4 apart have a deviation of 4 · √(p · (1 − p)): exactly 2.0, and 1.83.
    period = np.where(np.arange(10) < 10 * bright_share, 130, 126).astype(np.uint8)
    columns = np.repeat(np.tile(period, 20), 2)[:200]
    image = np.tile(columns, (200, 1))
    assert is_camera_move(image, image) is moved


def test_images_of_different_or_tiny_sizes_are_not_compared() -> None:
    image = to_luma(make_texture(1))
    assert is_camera_move(image[:16, :16], image[:16, :16])
    assert not is_camera_move(image[:15, :16], image[:15, :16])
    assert not is_camera_move(image, np.repeat(np.repeat(image, 2, axis=0), 2, axis=1))
