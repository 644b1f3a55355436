"""Known text in images is read correctly, and its lines become a scene's on-screen text."""

import io
import socket
from functools import cache
from unittest import mock

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from demo.film import ASSETS
from heimdex.errors import ModelUnavailable
from heimdex.vision.ocr import TextLine, compose_on_screen_text, is_same_line
from heimdex.vision.ocr_rapid import RapidOcrReader

READER = RapidOcrReader()
LINES = ("Quarterly results 2026", "Revenue grew by 14.2 %", "Contact: info@example.org", "The quick brown fox jumps")


@cache
def load_background(name: str) -> Image.Image:
    if name in ("white", "black", "navy"):
        return Image.new("RGB", (1280, 720), name)
    return Image.open(ASSETS / f"{name}.jpg").convert("RGB").resize((1280, 720))


def encode_as_keyframe(image: Image.Image) -> Image.Image:
    """Return the image after it was stored as a keyframe."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return Image.open(buffer)


def render_frame(font: str, height: int, over: str) -> Image.Image:
    """Render LINES about `height` pixels high, in Pillow's own font or a font of OpenCV."""
    ink, edge = ((0, 0, 0), (255, 255, 255)) if over in ("white", "coffee") else ((255, 255, 255), (0, 0, 0))
    image = load_background(over).copy()
    if font == "Aileron":
        draw = ImageDraw.Draw(image)
        for place, line in enumerate(LINES):
            position = (60, 60 + place * 2 * height)
            draw.text(position, line, font=ImageFont.load_default(height), fill=ink, stroke_width=max(1, height // 16), stroke_fill=edge)
        return encode_as_keyframe(image)
    import cv2

    pixels = np.array(image)
    for place, line in enumerate(LINES):
        cv2.putText(pixels, line, (60, 60 + (place + 1) * 2 * height), ink, cv2.FontFace(font), height)
    return encode_as_keyframe(Image.fromarray(pixels))


def count_wrong_characters(read: str, truth: str) -> int:
    """Return the edits between two texts (Levenshtein)."""
    row = list(range(len(truth) + 1))
    for number, letter in enumerate(read, start=1):
        last, row[0] = row[0], number
        for place, true in enumerate(truth, start=1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (letter != true))
    return row[-1]


# Every font, size and background, and each size on plain colors and on photographs.
FRAMES = [
    *(("Aileron", 18, over) for over in ("white", "navy", "coffee")),
    *(("Aileron", 36, over) for over in ("black", "astronaut", "rocket")),
    ("sans", 24, "white"),
    ("italic", 24, "black"),
    ("uni", 24, "chelsea"),
]


def test_rendered_text_is_read_in_many_fonts_sizes_and_places() -> None:
    truth = "\n".join(LINES)
    wrong = {}
    for read, shown in zip(READER.read([render_frame(*given) for given in FRAMES]), FRAMES, strict=True):
        # Letters in the photographs (the astronaut's badge) are read too. Only the rendered lines are known.
        rendered = [line for line in read if any(is_same_line(line.text, true) for true in LINES)]
        wrong[shown] = count_wrong_characters(compose_on_screen_text([rendered]), truth)
    assert sum(wrong.values()) <= 0.02 * len(truth) * len(FRAMES), {shown: number for shown, number in wrong.items() if number}


@pytest.mark.parametrize("name", ["chelsea", "coffee", "camera", "hubble_deep_field", "rocket"])
def test_images_without_text_have_no_lines(name: str) -> None:
    with Image.open(ASSETS / f"{name}.jpg") as image:
        assert compose_on_screen_text(READER.read([image])) == ""


def test_noise_patterns_and_plain_colors_have_no_lines() -> None:
    random = np.random.default_rng(3)
    noise = Image.fromarray(random.integers(0, 256, (720, 1280, 3), dtype=np.uint8))
    stripes = Image.fromarray(np.tile(np.repeat(np.array([0, 255], np.uint8), 20), (720, 32)))
    assert [compose_on_screen_text([lines]) for lines in READER.read([noise, stripes, load_background("black")])] == ["", "", ""]


def test_images_of_any_size_and_mode_are_read() -> None:
    gray = render_frame("Aileron", 60, "white").convert("L")
    portrait = Image.new("L", (720, 1280), 255)
    portrait.paste(gray, (0, 300))
    huge = gray.resize((5120, 2880))
    tiny = [Image.new(mode, size) for mode, size in (("RGB", (1, 1)), ("RGBA", (2, 2)), ("L", (1280, 2)), ("P", (12, 1280)))]
    read = [compose_on_screen_text([lines]) for lines in READER.read([gray, portrait, huge, *tiny])]
    assert read[0].splitlines() == list(LINES)
    assert LINES[0] in read[1].splitlines()
    assert read[2].splitlines() == list(LINES)
    assert read[3:] == ["", "", "", ""]


def test_no_model_is_downloaded() -> None:
    with mock.patch.object(socket.socket, "connect", side_effect=AssertionError("a connection was made")):
        assert RapidOcrReader().read([render_frame("Aileron", 30, "white")])[0][0].text == LINES[0]


def test_a_missing_package_is_reported_with_the_fix() -> None:
    assert READER.check() == []
    with mock.patch("heimdex.vision.ocr_rapid.find_spec", return_value=None):
        rapidocr, onnxruntime = RapidOcrReader().check()
        with pytest.raises(ModelUnavailable, match="rapidocr"):
            RapidOcrReader().read([load_background("black")])
    assert "rapidocr" in rapidocr
    assert "onnxruntime" in onnxruntime
    assert "HEIMDEX_OCR=off" in rapidocr


def read_surely(*texts: str) -> list[TextLine]:
    return [TextLine(text, 0.95) for text in texts]


def test_a_line_in_several_frames_is_kept_once_in_its_most_confident_reading() -> None:
    early = [TextLine("Welcorne to the harbour", 0.82), TextLine("Part one", 0.99)]
    late = [TextLine("Welcome to the harbour", 0.97), TextLine("Part two", 0.99)]
    assert compose_on_screen_text([early, late]) == "Welcome to the harbour\nPart one\nPart two"


@pytest.mark.parametrize(("first", "second"), [("Score 12:03", "Score 12:04"), ("Chapter 1", "Chapter 2"), ("2026", "2025")])
def test_lines_with_different_numbers_are_different(first: str, second: str) -> None:
    assert compose_on_screen_text([read_surely(first), read_surely(second)]) == f"{first}\n{second}"


def test_doubtful_lines_and_single_marks_are_left_out() -> None:
    assert compose_on_screen_text([[TextLine("Perhaps", 0.79), TextLine("B", 0.99), TextLine("--- .", 0.99), TextLine("Hi", 0.8)]]) == "Hi"


def test_text_is_normalized_without_invisible_characters() -> None:
    assert compose_on_screen_text([read_surely("ﬁne\x02  cafe\u0301\u202e\x00 \u3000x\u200b")]) == "fine café x"


def test_a_page_of_small_print_is_cut_at_the_end_of_a_line() -> None:
    text = compose_on_screen_text([[TextLine(f"Line {number} " + chr(97 + number % 26) * 60, 0.9) for number in range(200)]])
    assert 3900 < len(text) <= 4000
    assert text.endswith(text.splitlines()[-1])
    assert len(text.splitlines()[-1]) > 60
    assert len(compose_on_screen_text([read_surely("x" * 9000)])) == 4000
