"""Behavior of the S3 storage alone: connections, public URLs and messages about wrong settings."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.views.debug import SafeExceptionReporterFilter

from heimdex.outages.classify import OutageKind, find_outage
from heimdex.storage import S3, FileReplacedError, StorageError
from heimdex.storage.bucket import Bucket
from heimdex.storage.s3 import S3MediaStorage
from tests.heimdex.storage.seaweed import S3Options, find_free_ports


def connect(options: S3Options, **changes: Any) -> S3MediaStorage:
    return S3MediaStorage(**{**options, **changes})


def test_wrong_settings_are_reported(s3_options: S3Options) -> None:
    unused_url = f"http://127.0.0.1:{find_free_ports(1)[0]}"

    assert "HEIMDEX_S3_BUCKET" in connect(s3_options, bucket="absent").check()[0]
    assert "HEIMDEX_S3_SECRET_KEY" in connect(s3_options, secret_key="wrong").check()[0]
    assert "HEIMDEX_S3_ENDPOINT_URL" in connect(s3_options, endpoint_url=unused_url).check()[0]
    assert [problem.split()[4] for problem in connect(s3_options, bucket="", access_key="").check()] == [
        "HEIMDEX_S3_BUCKET",
        "HEIMDEX_S3_ACCESS_KEY",
    ]
    with pytest.raises(StorageError, match="HEIMDEX_S3_SECRET_KEY"):
        connect(s3_options, secret_key="wrong").save("a/b", b"x", "image/jpeg")


def test_presigned_urls_use_the_public_endpoint(s3_options: S3Options) -> None:
    storage = connect(s3_options, public_endpoint_url="https://media.example.org")

    assert storage.presign_download("a/b", expires_in_s=60).startswith("https://media.example.org/media/a/b?")
    assert storage.presign_upload("a/b", size=1, content_type="video/mp4", expires_in_s=60).url.startswith("https://media.example.org/")
    assert storage.check() == []


def measure_longest_wait_s(bucket: Bucket) -> int:
    """Return for how long a request may wait for a server that accepts connections and never answers."""
    config = bucket.connection.meta.client.meta.config
    return int(config.read_timeout * config.retries["total_max_attempts"])


def test_a_server_that_hangs_is_away_within_a_minute_but_may_copy_for_as_long(s3_options: S3Options) -> None:
    storage = connect(s3_options)

    assert measure_longest_wait_s(storage._impatient) <= 10
    assert measure_longest_wait_s(storage._files) <= 50
    assert storage._patient.connection.meta.client.meta.config.read_timeout >= 60


@pytest.mark.parametrize(
    "use",
    [
        lambda storage: storage.size("a/b"),
        lambda storage: storage.open("a/b"),
        lambda storage: storage.save("a/b", b"x"),
        # It is asked for its source first, with little patience.
        lambda storage: storage.copy("a/b", "a/c"),
    ],
    ids=["size", "open", "save", "copy"],
)
def test_a_server_that_hangs_is_an_outage_of_the_storage(
    s3_options: S3Options, monkeypatch: pytest.MonkeyPatch, use: Callable[[S3MediaStorage], object]
) -> None:
    monkeypatch.setattr("heimdex.storage.s3._TIMEOUT_S", 0.3)
    monkeypatch.setattr("heimdex.storage.s3._ATTEMPTS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = connect(s3_options, endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(StorageError, match="cannot be reached") as raised:
            use(storage)
        assert find_outage(raised.value) is OutageKind.STORAGE
        silent.settimeout(0)
        for _ in range(2):
            silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_an_upload_url_lives_a_quarter_of_an_hour(s3_options: S3Options) -> None:
    storage = connect(s3_options)
    quarter = timedelta(minutes=15)

    for asked_s, granted in ((24 * 3600, quarter), (60, timedelta(minutes=1))):
        target = storage.presign_upload("a/b", size=1, content_type="video/mp4", expires_in_s=asked_s)
        assert f"X-Amz-Expires={granted.seconds}&" in target.url
        assert granted - timedelta(seconds=10) < target.expires_at - datetime.now(UTC) <= granted


def test_a_file_that_is_replaced_during_a_move_is_not_moved(s3_options: S3Options, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = connect(s3_options)
    storage.save("a/upload", b"first", "video/mp4")
    connection = storage._patient.connection
    make_object = connection.Object

    class ReplacedBeforeCopy:
        """An object of the bucket; a client replaces the source just before the copy."""

        def __init__(self, bucket: str, key: str) -> None:
            self._object = make_object(bucket, key)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._object, name)

        def copy(self, *args: Any, **options: Any) -> None:
            storage.save("a/upload", b"other", "video/mp4")
            self._object.copy(*args, **options)

    bucket = storage._patient.bucket
    monkeypatch.setattr(bucket, "Object", lambda key: ReplacedBeforeCopy(bucket.name, key))
    with pytest.raises(FileReplacedError):
        storage.move("a/upload", "a/original")

    assert storage.size("a/original") is None
    assert storage.size("a/upload") == 5


def test_the_secret_is_not_shown(s3_options: S3Options) -> None:
    with override_settings(STORAGES={"media": {"BACKEND": S3, "OPTIONS": s3_options}}):
        shown = SafeExceptionReporterFilter().get_safe_settings()["STORAGES"]
    assert s3_options["bucket"] in str(shown)
    assert s3_options["secret_key"] not in str(shown)
    assert s3_options["secret_key"] not in repr(connect(s3_options))


def test_variables_of_other_tools_are_ignored(s3_options: S3Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another account")
    monkeypatch.setenv("AWS_S3_SESSION_PROFILE", "of another tool")

    assert connect(s3_options).check() == []


def test_threads_share_one_connection(s3_options: S3Options) -> None:
    storage = connect(s3_options)
    with ThreadPoolExecutor(4) as threads:
        urls = list(threads.map(lambda number: storage.presign_download(f"a/{number}", expires_in_s=60), range(8)))
        connections = {id(connection) for connection in threads.map(lambda _: storage._files.connection, range(8))}

    assert len(set(urls)) == 8
    assert len(connections) == 1
