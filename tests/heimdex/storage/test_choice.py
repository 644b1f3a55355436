"""The storage that the environment selects, and the rules for file names and ranges."""

import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.test import override_settings

from heimdex.environment import Environment
from heimdex.storage import build_media_storage_settings, get_media_storage, sign_url
from heimdex.storage.base import sanitize_filename
from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from heimdex.storage.s3 import S3MediaStorage
from heimdex.storage.tokens import DownloadGrant


def test_the_environment_selects_the_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEIMDEX_HOME", str(tmp_path))
    monkeypatch.setenv("HEIMDEX_STORAGE", "local")
    local = build_media_storage_settings(Environment())
    monkeypatch.setenv("HEIMDEX_STORAGE", "s3")
    monkeypatch.setenv("HEIMDEX_S3_BUCKET", "films")
    s3 = build_media_storage_settings(Environment())

    assert local["OPTIONS"] == {"root": tmp_path / "media", "public_url": ""}
    assert s3["OPTIONS"]["bucket"] == "films"
    with override_settings(STORAGES={**settings.STORAGES, "media": local}):
        assert isinstance(get_media_storage(), LocalMediaStorage)
        assert get_media_storage() is get_media_storage() is storages["media"]
        with override_settings(STORAGES={**settings.STORAGES, "media": s3}):
            assert isinstance(storages["media"], S3MediaStorage)
        assert isinstance(get_media_storage(), LocalMediaStorage)


@override_settings(LINK_TTL_SECONDS=600)
def test_a_signed_url_expires_after_the_configured_time() -> None:
    token = sign_url("videos/1/original", filename="holiday.mp4").rpartition("/")[2]
    grant = DownloadGrant.from_token(token)
    assert (grant.key, grant.filename) == ("videos/1/original", "holiday.mp4")
    assert 590 < grant.expires - time.time() <= 600


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
def test_a_file_name_is_sanitized(name: str, safe: str) -> None:
    assert sanitize_filename(name) == safe


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=5-3", "bytes=0-1,4-5", "items=0-1", "bytes=a-b", "bytes=0-" + "9" * 50])
def test_a_header_without_a_single_range_selects_the_whole_file(header: str | None) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize(
    ("header", "start", "length"), [("bytes=0-99", 0, 10), ("bytes=-99", 0, 10), ("bytes = 3-4", 3, 2), ("bytes=9-", 9, 1)]
)
def test_a_range_is_cut_to_the_file(header: str, start: int, length: int) -> None:
    assert parse_range(header, 10) == ByteRange(start, length)


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-0", 0), ("bytes=-1", 0)])
def test_a_range_outside_the_file_is_an_error(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, size)
