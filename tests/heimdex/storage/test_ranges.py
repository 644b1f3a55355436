"""Byte ranges at the edges of a file."""

import pytest

from heimdex.storage.ranges import ByteRange, UnsatisfiableRangeError, parse_range


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-", 0, 10),
        ("bytes=0-0", 0, 1),
        ("bytes=0-8", 0, 9),
        ("bytes=0-9", 0, 10),
        ("bytes=0-10", 0, 10),
        ("bytes=3-3", 3, 1),
        ("bytes=9-9", 9, 1),
        ("bytes=4-7", 4, 4),
        ("bytes=-1", 9, 1),
        ("bytes=-9", 1, 9),
        ("bytes=-10", 0, 10),
        ("bytes=-11", 0, 10),
    ],
)
def test_a_range_includes_both_its_ends(header: str, start: int, length: int) -> None:
    assert parse_range(header, 10) == ByteRange(start, length)


def test_the_answer_names_the_range_and_the_size() -> None:
    assert ByteRange(3, 1).format_content_range(10) == "bytes 3-3/10"
    assert ByteRange(0, 10).format_content_range(10) == "bytes 0-9/10"
    with pytest.raises(UnsatisfiableRangeError, match=r"^bytes \*/10$"):
        parse_range("bytes=10-", 10)


@pytest.mark.parametrize("header", ["bytes=4-3", "bytes=10-9"])
def test_a_range_that_ends_before_it_starts_selects_the_whole_file(header: str) -> None:
    assert parse_range(header, 10) is None
