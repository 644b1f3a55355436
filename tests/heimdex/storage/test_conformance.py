"""The contract of every media storage, tested by a client over HTTP and through the interface."""

import contextlib
import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from heimdex.storage import InvalidKeyError, MediaStorage
from heimdex.storage.local import LocalMediaStorage
from tests.heimdex.storage.web import request

BODY = bytes(range(256)) * 40


def test_a_client_uploads_what_it_announced(storage: MediaStorage, folder: str, scratch_files: Path) -> None:
    key = f"{folder}/upload"
    target = storage.presign_upload(key, size=len(BODY), content_type="video/mp4", expires_in_s=60)

    answer = request(target.method, target.url, BODY, target.headers)

    assert answer.status == 200
    assert storage.size(key) == len(BODY)
    with storage.open(key) as file:
        assert file.read() == BODY
        file.seek(-3, io.SEEK_END)
        assert file.read() == BODY[-3:]
    with storage.open_local_path(key) as path:
        assert path.read_bytes() == BODY
    assert request("GET", storage.presign_download(key, expires_in_s=60)).headers["Content-Type"] == "video/mp4"
    assert not list(scratch_files.iterdir())


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (BODY + b"!", {}),
        (BODY[:-1], {}),
        (b"", {}),
        (BODY, {"Content-Type": "text/html"}),
    ],
    ids=["too large", "too small", "empty", "another type"],
)
def test_an_upload_other_than_announced_is_rejected(storage: MediaStorage, folder: str, sent: bytes, headers: dict[str, str]) -> None:
    key = f"{folder}/upload"
    target = storage.presign_upload(key, size=len(BODY), content_type="video/mp4", expires_in_s=60)

    answer = request("PUT", target.url, sent, {**target.headers, **headers})

    assert 400 <= answer.status < 500
    assert storage.size(key) is None


def test_only_an_unmodified_url_works_and_only_until_it_expires(storage: MediaStorage, folder: str) -> None:
    key = f"{folder}/upload"
    storage.save(key, b"kept", "video/mp4")
    upload = storage.presign_upload(key, size=len(BODY), content_type="video/mp4", expires_in_s=60)
    download = storage.presign_download(key, expires_in_s=60)
    late_upload = storage.presign_upload(key, size=len(BODY), content_type="video/mp4", expires_in_s=1)
    late_download = storage.presign_download(key, expires_in_s=1)
    time.sleep(2.1)

    for url in (download, late_upload.url, _tamper(upload.url)):
        assert request("PUT", url, BODY, upload.headers).status == 403
    for url in (upload.url, late_download, _tamper(download)):
        assert request("GET", url).status == 403
    with storage.open(key) as file:
        assert file.read() == b"kept"


def _tamper(url: str) -> str:
    """Change a character of the signature, but not the last one, whose lowest bits are ignored."""
    return url[:-4] + ("a" if url[-4] != "a" else "b") + url[-3:]


@pytest.mark.parametrize(
    ("requested", "part", "content_range"),
    [
        ("bytes=0-0", BODY[:1], f"bytes 0-0/{len(BODY)}"),
        ("bytes=300-599", BODY[300:600], f"bytes 300-599/{len(BODY)}"),
        ("bytes=10000-", BODY[10000:], f"bytes 10000-{len(BODY) - 1}/{len(BODY)}"),
        ("bytes=-5", BODY[-5:], f"bytes {len(BODY) - 5}-{len(BODY) - 1}/{len(BODY)}"),
        ("bytes=10000-99999", BODY[10000:], f"bytes 10000-{len(BODY) - 1}/{len(BODY)}"),
    ],
)
def test_a_player_fetches_parts(storage: MediaStorage, folder: str, requested: str, part: bytes, content_range: str) -> None:
    storage.save(f"{folder}/original", BODY, "video/mp4")

    answer = request("GET", storage.presign_download(f"{folder}/original", expires_in_s=60), headers={"Range": requested})

    assert (answer.status, answer.body) == (206, part)
    assert answer.headers["Content-Range"] == content_range
    assert answer.headers["Content-Length"] == str(len(part))


def test_a_range_outside_the_file_is_rejected(storage: MediaStorage, folder: str) -> None:
    storage.save(f"{folder}/original", BODY, "video/mp4")

    assert request("GET", storage.presign_download(f"{folder}/original", expires_in_s=60), headers={"Range": "bytes=10240-"}).status == 416


def test_a_download_has_a_sanitized_name(storage: MediaStorage, folder: str) -> None:
    key = f"{folder}/original"
    storage.save(key, BODY, "video/mp4")

    answer = request("GET", storage.presign_download(key, expires_in_s=60, filename='../ä "b"\r\nX: y.mp4'))

    assert answer.body == BODY
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A4%20%22b%22X%3A%20y.mp4"
    assert answer.headers["X"] is None
    assert "attachment" not in (request("GET", storage.presign_download(key, expires_in_s=60)).headers["Content-Disposition"] or "")


def test_saving_replaces_and_leaves_the_source_open(storage: MediaStorage, folder: str) -> None:
    key, source = f"{folder}/thumbnail.jpg", io.BytesIO(BODY)
    storage.save(key, b"old", "image/png")

    storage.save(key, source, "image/jpeg")

    assert not source.closed
    answer = request("GET", storage.presign_download(key, expires_in_s=60))
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, BODY, "image/jpeg")


def test_a_second_upload_cannot_reach_a_file_that_was_moved(storage: MediaStorage, folder: str) -> None:
    upload, original = f"{folder}/upload", f"{folder}/original"
    target = storage.presign_upload(upload, size=len(BODY), content_type="video/mp4", expires_in_s=60)
    request("PUT", target.url, BODY, target.headers)

    storage.move(upload, original)

    assert storage.size(upload) is None
    assert request("PUT", target.url, BODY[::-1], target.headers).status == 200
    answer = request("GET", storage.presign_download(original, expires_in_s=60))
    assert (answer.body, answer.headers["Content-Type"]) == (BODY, "video/mp4")


def test_a_copy_does_not_follow_its_original(storage: MediaStorage, folder: str) -> None:
    first, second = f"{folder}/1/original", f"{folder}/2/original"
    storage.save(first, BODY, "video/mp4")
    storage.save(second, b"replaced by the copy", "image/jpeg")

    storage.copy(first, second)
    storage.save(first, b"new", "image/jpeg")

    answer = request("GET", storage.presign_download(second, expires_in_s=60))
    assert (answer.body, answer.headers["Content-Type"]) == (BODY, "video/mp4")
    storage.delete(first)
    assert storage.size(second) == len(BODY)


def test_missing_files(storage: MediaStorage, folder: str) -> None:
    key = f"{folder}/original"

    assert storage.size(key) is None
    assert list(storage.list_keys(folder)) == []
    with pytest.raises(FileNotFoundError):
        storage.open(key)
    with pytest.raises(FileNotFoundError), storage.open_local_path(key):
        pass
    with pytest.raises(FileNotFoundError):
        storage.move(key, f"{folder}/elsewhere")
    with pytest.raises(FileNotFoundError):
        storage.copy(key, f"{folder}/elsewhere")
    storage.delete(key)
    storage.delete_prefix(folder)
    assert request("GET", storage.presign_download(key, expires_in_s=60)).status == 404


def test_deleting_a_prefix_keeps_its_neighbors(storage: MediaStorage, folder: str) -> None:
    for name in ("v1/original", "v1/scenes/1.jpg", "v1/scenes/2.jpg", "v10/original", "v2"):
        storage.save(f"{folder}/{name}", b"x", "image/jpeg")
    storage.delete(f"{folder}/v1/scenes/2.jpg")
    assert list(storage.list_keys(f"{folder}/v1")) == [f"{folder}/v1/original", f"{folder}/v1/scenes/1.jpg"]

    storage.delete_prefix(f"{folder}/v1")

    assert list(storage.list_keys(f"{folder}/")) == [f"{folder}/v10/original", f"{folder}/v2"]
    assert f"{folder}/v2" in list(storage.list_keys())
    storage.save(f"{folder}/v1/original", b"again", "video/mp4")
    assert storage.size(f"{folder}/v1/original") == 5


def test_files_are_listed_in_the_order_of_their_keys_with_size_and_time(storage: MediaStorage, folder: str) -> None:
    names = ["a/1", "a/b/2", "a0", "b"]
    began = datetime.now(UTC) - timedelta(seconds=2)
    for size, name in enumerate(reversed(names), start=1):
        storage.save(f"{folder}/{name}", b"x" * size, "image/jpeg")

    files = list(storage.list_files(folder))

    assert [file.key for file in files] == [f"{folder}/{name}" for name in names] == sorted(file.key for file in files)
    assert [file.size for file in files] == [4, 3, 2, 1]
    assert all(began < file.stored_at < datetime.now(UTC) + timedelta(seconds=2) for file in files)


def test_a_local_path_leaves_nothing_behind(storage: MediaStorage, folder: str, scratch_files: Path) -> None:
    storage.save(f"{folder}/clip.mp4", BODY, "video/mp4")

    with contextlib.suppress(ZeroDivisionError), storage.open_local_path(f"{folder}/clip.mp4") as path:
        assert path.suffix == ".mp4"
        raise ZeroDivisionError

    assert not list(scratch_files.iterdir())
    assert storage.size(f"{folder}/clip.mp4") == len(BODY)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "a/../b", "..", "a//b", "a/", "./a", "a/.hidden", "a\\b", "a b", "a\0b", "ä", "a\n", "x" * 600]
)
def test_no_key_leads_out_of_the_storage(storage: MediaStorage, key: str) -> None:
    for method in (
        storage.size,
        storage.open,
        storage.delete,
        lambda name: storage.save(name, b"x", "image/jpeg"),
        lambda name: storage.move(name, "a/b"),
        lambda name: storage.move("a/b", name),
        lambda name: storage.copy(name, "a/b"),
        lambda name: storage.copy("a/b", name),
        lambda name: storage.presign_download(name, expires_in_s=60),
        lambda name: storage.presign_upload(name, size=1, content_type="video/mp4", expires_in_s=60),
        lambda name: storage.open_local_path(name).__enter__(),
    ):
        with pytest.raises(InvalidKeyError):
            method(key)


@pytest.mark.parametrize("prefix", ["", "/", "../x", "a//b/"])
def test_no_prefix_deletes_everything(storage: MediaStorage, folder: str, prefix: str) -> None:
    with pytest.raises(InvalidKeyError):
        storage.delete_prefix(prefix)


def test_a_working_storage_has_no_problems(storage: MediaStorage) -> None:
    assert storage.check() == []


def test_the_free_space_is_a_number_or_unknown(storage: MediaStorage) -> None:
    free = storage.measure_free_bytes()
    assert free > 0 if isinstance(storage, LocalMediaStorage) else free is None
