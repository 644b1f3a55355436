"""Scenes and keyframes of videos with known cuts."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.cut_videos import build_scripts, generate_video
from bench.scene_cuts import GRADUAL, HARD, detect_cuts
from demo.film import FPS, SHOTS
from heimdex.media.probe import probe
from heimdex.media.scenes import DetectedScene, iter_scenes
from heimdex.media.timeline import SheetLayout, compose_sheet, compute_layout
from tests import media


def open_jpeg(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))


def open_keyframe(scene: DetectedScene) -> Image.Image:
    return open_jpeg(scene.keyframes[0].jpeg)


def test_the_demo_films_cuts_are_exact_and_each_keyframe_shows_its_scene() -> None:
    path = media.build_demo_video()
    info = probe(path)
    shares: list[float] = []
    scenes = list(iter_scenes(path, info, on_progress=shares.append))
    spans = [scene.span for scene in scenes]
    assert len(spans) == len(SHOTS)
    assert spans[0].start_s == 0
    assert spans[-1].end_s == info.duration_s
    assert all(before.end_s == after.start_s for before, after in itertools.pairwise(spans))
    for scene in scenes:
        assert 1 <= len(scene.keyframes) <= 2
        for keyframe in scene.keyframes:
            assert scene.span.start_s <= keyframe.time_s < scene.span.end_s
            assert (open_jpeg(keyframe.jpeg).mode, open_jpeg(keyframe.jpeg).size) == ("RGB", (1280, 720))
            assert open_jpeg(keyframe.thumbnail).size == (320, 180)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_cuts_a_second_apart_are_found_and_shorter_scenes_are_not_created() -> None:
    path = media.build_video((25, 40, 25, 60, 10))
    spans = [scene.span for scene in iter_scenes(path, probe(path))]
    expected = [0, 25, 65, 90]
    assert [span.start_s * FPS for span in spans] == pytest.approx(expected, abs=2)


def test_a_video_without_a_cut_is_one_scene() -> None:
    path = media.build_video((50,))
    info = probe(path)
    spans = [scene.span for scene in iter_scenes(path, info)]
    assert [(span.start_s, span.end_s) for span in spans] == [(0.0, info.duration_s)]


def test_keyframes_of_a_rotated_video_are_upright() -> None:
    turned, straight = media.build_video((50,), rotation=90), media.build_video((50,))
    (upright,) = iter_scenes(turned, probe(turned))
    (plain,) = iter_scenes(straight, probe(straight))
    assert open_keyframe(upright).size == (240, 320)
    expected = np.asarray(open_keyframe(plain).rotate(90, expand=True), dtype=np.float32)
    assert np.abs(np.asarray(open_keyframe(upright), dtype=np.float32) - expected).mean() < 12
    thumbnail = np.asarray(open_jpeg(upright.keyframes[0].thumbnail), dtype=np.float32)
    assert np.abs(thumbnail - np.asarray(open_keyframe(upright).resize((240, 320)), dtype=np.float32)).mean() < 12
    tile = Image.fromarray(upright.tiles[0])
    assert tile.size == (120, 160)
    assert np.abs(np.asarray(tile.resize((240, 320)), dtype=np.float32) - expected).mean() < 30


def test_the_timeline_has_the_image_of_every_second() -> None:
    path = media.build_video((75, 100))
    info = probe(path)
    scenes = list(iter_scenes(path, info))
    strip = np.asarray(open_jpeg(compose_sheet([tile for scene in scenes for tile in scene.tiles], info.duration_s)), dtype=np.float32)
    assert compute_layout(info.duration_s) == SheetLayout(step_s=1.0, columns=7, count=7)
    assert strip.shape == (120, 7 * 160, 3)
    for place, tile in enumerate(np.split(strip, 7, axis=1)):
        same, other = (Image.fromarray(media.make_pattern(shot, 320, 240)).resize((160, 120)) for shot in (place >= 3, place < 3))
        assert np.abs(np.asarray(same, np.float32) - tile).mean() < np.abs(np.asarray(other, np.float32) - tile).mean()


def test_the_sheet_of_a_long_video_has_a_hundred_images_even_with_a_broken_tail() -> None:
    tiles = [np.full((90, 160, 3), 2 * shade, np.uint8) for shade in range(60)]
    assert compute_layout(7200.0) == SheetLayout(step_s=72.0, columns=10, count=100)
    strip = np.asarray(open_jpeg(compose_sheet(tiles, 7200.0)))
    assert strip.shape == (900, 1600, 3)
    assert abs(int(strip[890, 1590, 0]) - 118) < 4


def test_a_take_longer_than_the_limit_is_split() -> None:
    path = media.build_video((400,))
    spans = [scene.span for scene in iter_scenes(path, probe(path), 6.0)]
    assert len(spans) >= 3
    assert max(span.end_s - span.start_s for span in spans) <= 6.0


# Short films of each kind; `make bench ONLY="V3 V4"` measures long ones.
KINDS = [*dict.fromkeys([*HARD, *GRADUAL, "flashes", "moves: pan", "moves: whip", "moves: zoom", "moves: jolts", "moves: passing"])]


@pytest.mark.parametrize("kind", KINDS)
def test_films_of_every_type_are_cut_where_they_were_joined(kind: str, tmp_path: Path) -> None:
    counts = detect_cuts(generate_video(build_scripts(7, 25.0)[kind], tmp_path / "film.mp4"))
    missed = counts.hard - counts.hard_detected + counts.gradual - counts.gradual_detected
    # One cut in ten may be missed or invented, as the goals allow for a large number.
    assert missed <= 1
    assert counts.false <= 1
