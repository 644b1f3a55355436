"""MP4 files whose boxes were changed by hand."""

import random
import struct
from pathlib import Path

from tests import media

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"ilst"}


def find(content: bytes, *names: bytes) -> tuple[int, int]:
    """Return where the body of a box begins and ends; each name is that of a box within the one before."""
    start, end = 0, len(content)
    for name in names:
        place = start
        while place < end:
            size, kind = struct.unpack_from(">I4s", content, place)
            if kind == name:
                start, end = place + 8, place + size
                break
            place += size
        else:
            raise LookupError(name)
    return start, end


def _film() -> bytes:
    return media.video((30,)).read_bytes()


def _table(content: bytes, name: bytes) -> int:
    return find(content, b"moov", b"trak", b"mdia", b"minf", b"stbl", name)[0]


def _with_number(offset: int, number: int, table: bytes) -> bytes:
    content = bytearray(_film())
    struct.pack_into(">I", content, _table(content, table) + offset, number)
    return bytes(content)


def _only_a_box(path: Path) -> None:
    path.write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2")


def _without_index(path: Path) -> None:
    content = _film()
    path.write_bytes(content[: find(content, b"moov")[0] - 8])


def _flipped(path: Path) -> None:
    content = bytearray(_film())
    start, end = find(content, b"mdat")
    for place in random.Random(3).sample(range(start, end), 200):
        content[place] ^= 0xFF
    path.write_bytes(content)


def _endless_samples(path: Path) -> None:
    # Version and flags, the number of entries, and then the first entry's count.
    path.write_bytes(_with_number(8, 2**31 - 1, b"stts"))


def _endless_sizes(path: Path) -> None:
    # Version and flags, the size of all, and then their number.
    path.write_bytes(_with_number(8, 0x0FFFFFFF, b"stsz"))


def _page_within_a_film(path: Path) -> None:
    page = b"<!doctype html><script>alert(document.cookie)</script>"
    content = _film()
    # At the end, so that no offset into the file moves.
    path.write_bytes(content + struct.pack(">I4s", 8 + len(page), b"free") + page)


RECIPES = {
    "only-a-box.mp4": _only_a_box,
    "cut-before-the-index.mp4": _without_index,
    "flipped-bytes.mp4": _flipped,
    "endless-samples.mp4": _endless_samples,
    "endless-sizes.mp4": _endless_sizes,
    "page-within-a-film.mp4": _page_within_a_film,
}
