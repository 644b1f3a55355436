"""MP4 files with modified boxes."""

import random
import struct
from pathlib import Path

from tests import media

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"ilst"}


def find(content: bytes, *names: bytes) -> tuple[int, int]:
    """Return the start and end of a box's body; each name is a box inside the previous one."""
    start, end = 0, len(content)
    for name in names:
        position = start
        while position < end:
            size, kind = struct.unpack_from(">I4s", content, position)
            if kind == name:
                start, end = position + 8, position + size
                break
            position += size
        else:
            raise LookupError(name)
    return start, end


def _build_film() -> bytes:
    return media.build_video((30,)).read_bytes()


def _find_table(content: bytes, name: bytes) -> int:
    return find(content, b"moov", b"trak", b"mdia", b"minf", b"stbl", name)[0]


def _set_number(offset: int, number: int, table: bytes) -> bytes:
    content = bytearray(_build_film())
    struct.pack_into(">I", content, _find_table(content, table) + offset, number)
    return bytes(content)


def _write_only_a_box(path: Path) -> None:
    path.write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2")


def _cut_before_index(path: Path) -> None:
    content = _build_film()
    path.write_bytes(content[: find(content, b"moov")[0] - 8])


def _flip_bytes(path: Path) -> None:
    content = bytearray(_build_film())
    start, end = find(content, b"mdat")
    for position in random.Random(3).sample(range(start, end), 200):
        content[position] ^= 0xFF
    path.write_bytes(content)


def _claim_endless_samples(path: Path) -> None:
    # After version, flags and the number of entries: the first entry's count.
    path.write_bytes(_set_number(8, 2**31 - 1, b"stts"))


def _claim_endless_sizes(path: Path) -> None:
    # After version, flags and the common size: the number of samples.
    path.write_bytes(_set_number(8, 0x0FFFFFFF, b"stsz"))


def _embed_page(path: Path) -> None:
    page = b"<!doctype html><script>alert(document.cookie)</script>"
    content = _build_film()
    # At the end, so that no offset changes.
    path.write_bytes(content + struct.pack(">I4s", 8 + len(page), b"free") + page)


RECIPES = {
    "only-a-box.mp4": _write_only_a_box,
    "cut-before-the-index.mp4": _cut_before_index,
    "flipped-bytes.mp4": _flip_bytes,
    "endless-samples.mp4": _claim_endless_samples,
    "endless-sizes.mp4": _claim_endless_sizes,
    "page-within-a-film.mp4": _embed_page,
}
