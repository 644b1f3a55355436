"""Find web pages in MP4 and QuickTime files: such a file is a video for players, and a page for whatever takes it for one."""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

# A file starts with one of them.
_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
# What they hold is decoded, or read as texts, which are shown as texts. Players skip the others, and what follows the last one.
_READ_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"meta", b"uuid", b"emsg", b"prft"})
# A page begins with such a tag (WHATWG MIME Sniffing, 7.1, without tags that occur in texts).
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|iframe)[\s>]", re.IGNORECASE)
# Bytes of each box that are searched, and the number of boxes: a fragmented film of a day has fewer.
_SEARCHED, _MAX_BOXES = 64 * 1024, 200_000
_HEADER = struct.Struct(">I4s")


def contains_web_page(file: BinaryIO) -> bool:
    """Return whether an MP4 or QuickTime file has a web page in a part that players skip. Other files have none."""
    return any(_PAGE.search(content) for content in _iter_skipped(file))


def _iter_skipped(file: BinaryIO) -> Iterator[bytes]:
    """Yield the beginning of each part that players skip."""
    end = file.seek(0, 2)
    position = 0
    for _ in range(_MAX_BOXES):
        file.seek(position)
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        size, kind = _HEADER.unpack(header)
        if size == 1:
            size = int.from_bytes(file.read(8))
        if position == 0 and kind not in _FIRST_BOXES:
            return
        is_box = size >= _HEADER.size and position + size <= end
        if kind not in _READ_BOXES:
            file.seek(position)
            yield file.read(min(_SEARCHED, size if is_box else _SEARCHED))
        if not is_box:
            # The last box reaches to the end of the file, or what follows is no box.
            return
        position += size
