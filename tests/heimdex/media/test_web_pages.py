"""A web page in a part of a film that players skip is found; texts and images of a film are none."""

import io
import struct

import pytest

from heimdex.media.web_pages import contains_web_page
from tests import media

PAGE = b"<!doctype html><script>alert(document.cookie)</script>"


def make_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


FILM = make_box(b"ftyp", b"isom") + make_box(b"mdat", b"x" * 50)


@pytest.mark.parametrize(
    "content",
    [
        FILM + make_box(b"free", PAGE),
        make_box(b"free", PAGE) + FILM,
        FILM + make_box(b"skip", b"\0" * 999 + b"<HTML >" + FILM),
        FILM + make_box(b"odd!", b"<script\n>"),
        # Behind the last box.
        FILM + PAGE,
        FILM + struct.pack(">I4sQ", 1, b"free", 16 + len(PAGE)) + PAGE,
        FILM + struct.pack(">I4s", 0, b"free") + PAGE,
    ],
)
def test_a_page_is_found(content: bytes) -> None:
    assert contains_web_page(io.BytesIO(content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        FILM,
        FILM + make_box(b"free", b"<b>Edited</b> with <3 & heads"),
        # The texts of a film are shown as texts.
        FILM + make_box(b"moov", make_box(b"udta", PAGE)),
        FILM + make_box(b"uuid", b"<?xpacket?><html >"),
        # It was cut within its images.
        make_box(b"ftyp", b"isom") + struct.pack(">I4s", 9999, b"mdat") + PAGE,
        make_box(b"ftyp", b"isom") + struct.pack(">I4s", 0, b"mdat") + PAGE,
        # No film: the decoder refuses it.
        PAGE + FILM,
    ],
)
def test_other_files_have_none(content: bytes) -> None:
    assert not contains_web_page(io.BytesIO(content))


def test_a_real_film_has_none() -> None:
    with media.build_video((30,)).open("rb") as file:
        assert not contains_web_page(file)
