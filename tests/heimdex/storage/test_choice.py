"""Which storage an installation gets, and the pure rules about names and ranges."""

from pathlib import Path

import pytest
from django.test import override_settings

from heimdex.environment import Environment
from heimdex.storage import media_storage
from heimdex.storage.base import safe_filename
from heimdex.storage.local import LocalStorage
from heimdex.storage.options import LocalOptions, S3Options, storage_options
from heimdex.storage.ranges import ByteRange, UnsatisfiableRangeError, requested_range
from heimdex.storage.s3 import S3Storage


def test_the_environment_picks_the_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEIMDEX_HOME", str(tmp_path))
    monkeypatch.setenv("HEIMDEX_STORAGE", "local")
    local = storage_options(Environment())
    monkeypatch.setenv("HEIMDEX_STORAGE", "s3")
    monkeypatch.setenv("HEIMDEX_S3_BUCKET", "films")
    s3 = storage_options(Environment())

    assert local == LocalOptions(root=tmp_path / "media")
    assert isinstance(s3, S3Options)
    assert s3.bucket == "films"
    with override_settings(MEDIA_STORAGE=local):
        assert isinstance(media_storage(), LocalStorage)
        assert media_storage() is media_storage()
        with override_settings(MEDIA_STORAGE=s3):
            assert isinstance(media_storage(), S3Storage)
        assert isinstance(media_storage(), LocalStorage)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("holiday.mp4", "holiday.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\a.mov", "a.mov"),
        ("a\r\nSet-Cookie: b.mp4", "aSet-Cookie: b.mp4"),
        ("....", "file"),
        ("", "file"),
        ("ü\udcff.mp4", "ü.mp4"),
        ("x" * 4000 + ".mp4", "x" * 146 + ".mp4"),
        ("y" * 4000, "y" * 150),
    ],
)
def test_a_file_name_loses_what_could_harm(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=5-3", "bytes=0-1,4-5", "items=0-1", "bytes=a-b", "bytes=0-" + "9" * 50])
def test_what_is_no_single_range_gets_the_whole_file(header: str | None) -> None:
    assert requested_range(header, 10) is None


@pytest.mark.parametrize(
    ("header", "start", "length"), [("bytes=0-99", 0, 10), ("bytes=-99", 0, 10), ("bytes = 3-4", 3, 2), ("bytes=9-", 9, 1)]
)
def test_a_range_is_cut_to_the_file(header: str, start: int, length: int) -> None:
    assert requested_range(header, 10) == ByteRange(start, length)


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-0", 0), ("bytes=-1", 0)])
def test_a_range_outside_the_file_is_an_error(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        requested_range(header, size)
