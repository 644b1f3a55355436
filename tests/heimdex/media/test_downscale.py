"""Frames at the size at which cuts are looked for."""

import av
import numpy as np
import pytest

from heimdex.media.downscale import downscale_frame


@pytest.mark.parametrize(("size", "divisor"), [((320, 180), 1), ((768, 432), 3), ((1280, 720), 5), ((1290, 722), 5), ((2000, 1080), 8)])
def test_every_place_is_the_average_of_a_line_through_its_middle(size: tuple[int, int], divisor: int) -> None:
    width, height = size
    gray = np.random.default_rng(3).integers(16, 236, (height * 3 // 2, width), dtype=np.uint8)
    luma = downscale_frame(av.VideoFrame.from_ndarray(gray, format="yuv420p")).luma

    down, across = height // divisor, width // divisor
    lines = gray[:height][divisor // 2 : down * divisor : divisor, : across * divisor]
    expected = lines.reshape(down, across, divisor).mean(axis=2)
    assert luma.shape == (down, across)
    assert np.abs(luma - expected).max() <= 0.51
