"""Slides of a talk: text on a plain background that stays for seconds."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
_WORDS = (
    "cells",
    "divide",
    "under",
    "light",
    "while",
    "the",
    "river",
    "carries",
    "sand",
    "north",
    "and",
    "every",
    "engine",
    "needs",
    "a",
    "colder",
    "place",
    "to",
    "lose",
    "its",
    "heat",
)
_BACKGROUNDS = ((255, 255, 255), (250, 246, 235), (24, 28, 44))


def make_slide(seed: int, size: tuple[int, int], frames: int) -> Callable[[], Iterator[Frame]]:
    """Return a function that yields the frames of a static slide."""
    return lambda: repeat(_render_slide(seed, size, 7), frames)


def make_growing_slide(seed: int, size: tuple[int, int], frames: int) -> Callable[[], Iterator[Frame]]:
    """Return a function that yields the frames of a slide that gains a line half-way, which is not a cut."""
    half = frames // 2
    return lambda: chain(repeat(_render_slide(seed, size, 4), half), repeat(_render_slide(seed, size, 5), frames - half))


def _render_slide(seed: int, size: tuple[int, int], lines: int) -> Frame:
    from PIL import Image, ImageDraw, ImageFont

    random = np.random.default_rng(seed)
    ground = _BACKGROUNDS[seed % len(_BACKGROUNDS)] if seed % 5 == 0 else _BACKGROUNDS[0]
    ink = (20, 20, 20) if sum(ground) > 380 else (240, 240, 240)
    width, height = size
    page = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(page)
    draw.text((width * 0.08, height * 0.06), " ".join(random.choice(_WORDS, 3)).title(), ink, ImageFont.load_default(height * 0.1))
    font = ImageFont.load_default(height * 0.06)
    for line in range(lines):
        # The generator is used in the same order for any number of lines, so a slide that gains a line keeps the others.
        text = " ".join(random.choice(_WORDS, 7))
        draw.text((width * 0.1, height * (0.25 + 0.1 * line)), text, ink, font)
    return np.asarray(page, dtype=np.uint8)
