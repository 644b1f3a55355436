"""The keys of S3 rotate: both pairs work together, and then the old pair, with every URL that it has signed, ends."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heimdex.storage import StorageError
from heimdex.storage.s3 import S3MediaStorage
from tests.heimdex.storage.seaweed import ACCESS_KEY, SECRET_KEY, S3Options, change_key_pairs, run_seaweed

pytestmark = pytest.mark.integration
NEW_ACCESS_KEY, NEW_SECRET_KEY = "heimdex-access-2", "heimdex-secret-2"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "weed"


@pytest.fixture
def options(home: Path) -> Iterator[S3Options]:
    """Return how to connect to a server of this test alone."""
    with run_seaweed(home) as options:
        yield options


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def send(url: str) -> int:
    """Send three bytes to an upload URL, as a browser does, and return the status."""
    request = urllib.request.Request(url, b"new", {"Content-Type": "video/mp4"}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def fetch(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def sign_upload(storage: S3MediaStorage) -> str:
    return storage.presign_upload("a/upload", size=3, content_type="video/mp4", expires_in_s=600).url


def sign_download(storage: S3MediaStorage) -> str:
    return storage.presign_download("a/film", expires_in_s=600)


def test_both_pairs_work_until_the_old_one_is_removed(home: Path, options: S3Options) -> None:
    old = S3MediaStorage(**options)
    new = S3MediaStorage(**{**options, "access_key": NEW_ACCESS_KEY, "secret_key": NEW_SECRET_KEY})
    old.save("a/film", b"film", "video/mp4")
    upload, download = sign_upload(old), sign_download(old)
    assert "HEIMDEX_S3_SECRET_KEY" in new.check()[0]

    change_key_pairs(home, {ACCESS_KEY: SECRET_KEY, NEW_ACCESS_KEY: NEW_SECRET_KEY})
    wait_until(lambda: not new.check())
    # Processes with the old pair and with the new one, and what each has signed.
    assert old.check() == []
    assert new.size("a/film") == 4
    assert [send(upload), fetch(download), send(sign_upload(new)), fetch(sign_download(new))] == [200] * 4

    change_key_pairs(home, {NEW_ACCESS_KEY: NEW_SECRET_KEY})
    wait_until(lambda: bool(old.check()))
    assert [send(upload), fetch(download)] == [403, 403]
    with pytest.raises(StorageError, match="HEIMDEX_S3_SECRET_KEY"):
        old.save("a/film", b"other", "video/mp4")
    # A client asks for a new URL, which the new pair signs.
    assert [send(sign_upload(new)), fetch(sign_download(new))] == [200, 200]
    assert new.size("a/film") == 4
