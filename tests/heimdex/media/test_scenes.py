"""Scenes and keyframes of videos whose cuts are known."""

import itertools

import numpy as np
import pytest

from demo.film import FPS, SHOTS
from heimdex.media.keyframes import Candidate, CandidateFrames, best
from heimdex.media.probe import probe
from heimdex.media.scenes import analyse_video, detect_scenes
from tests import media


def test_the_demo_films_cuts_are_found_to_the_frame_and_each_scene_has_an_honest_picture() -> None:
    path = media.demo_film()
    info = probe(path)
    shares: list[float] = []
    spans, keyframes = analyse_video(path, info, shares.append)
    assert len(spans) == len(SHOTS)
    assert spans[0].start_s == 0
    assert spans[-1].end_s == info.duration_s
    assert all(before.end_s == after.start_s for before, after in itertools.pairwise(spans))
    for span, keyframe in zip(spans, keyframes, strict=True):
        assert keyframe is not None
        assert span.start_s <= keyframe.time_s < span.end_s
        assert (keyframe.image.mode, keyframe.image.size) == ("RGB", (1280, 720))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_cuts_after_exactly_a_second_are_found_and_shorter_scenes_are_not_made() -> None:
    path = media.video((25, 40, 25, 60, 10))
    spans = detect_scenes(path, probe(path))
    expected = [0, 25, 65, 90]
    assert [span.start_s * FPS for span in spans] == pytest.approx(expected, abs=2)


def test_a_video_without_a_cut_is_one_scene() -> None:
    path = media.video((50,))
    info = probe(path)
    spans = detect_scenes(path, info)
    assert [(span.start_s, span.end_s) for span in spans] == [(0.0, info.duration_s)]


def test_the_keyframe_of_a_turned_video_stands_upright() -> None:
    turned, straight = media.video((50,), rotation=90), media.video((50,))
    (upright,) = analyse_video(turned, probe(turned))[1]
    (plain,) = analyse_video(straight, probe(straight))[1]
    assert upright is not None
    assert plain is not None
    assert upright.image.size == (240, 320)
    expected = np.asarray(plain.image.rotate(90, expand=True), dtype=np.float32)
    assert np.abs(np.asarray(upright.image, dtype=np.float32) - expected).mean() < 12


def candidate(time_s: float, *, sharpness: float = 100, brightness: float = 120, grey: float = 120) -> Candidate:
    return Candidate(time_s, sharpness, brightness, np.full((9, 16), grey, np.float32), np.zeros((2, 2, 3), np.uint8))


def test_black_white_and_blurred_frames_are_not_chosen() -> None:
    frames = [candidate(0, brightness=2), candidate(1, brightness=250), candidate(2, sharpness=1), candidate(3, sharpness=20), candidate(4)]
    chosen = best(frames)
    assert chosen is not None
    assert chosen.time_s == 4


def test_the_most_typical_sharp_frame_stands_for_the_scene() -> None:
    chosen = best([candidate(0, grey=20), candidate(1, grey=100), candidate(2, grey=110), candidate(3, grey=200)])
    assert chosen is not None
    assert chosen.time_s in (1, 2)


def test_a_scene_in_the_dark_still_has_a_picture_and_one_without_frames_has_none() -> None:
    chosen = best([candidate(0, brightness=1, sharpness=1), candidate(1, brightness=1, sharpness=2)])
    assert chosen is not None
    assert chosen.time_s == 1
    assert best([]) is None


def test_hours_of_one_scene_keep_a_dozen_frames_from_all_over_it() -> None:
    frames = CandidateFrames()
    for step in range(36_000):
        if frames.wants(step / 10):
            frames.add(candidate(step / 10))
    times = [frame.time_s for frame in frames.split(float("inf"))]
    assert 6 <= len(times) <= 12
    assert times[-1] - times[0] > 1800
