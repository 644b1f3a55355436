"""What only the S3 storage must hold: clear words about wrong settings."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from heimdex.storage import StorageError
from heimdex.storage.options import S3Options
from heimdex.storage.s3 import S3Storage
from tests.heimdex.storage.seaweed import free_ports


def test_wrong_settings_are_named(s3_options: S3Options) -> None:
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"

    assert "HEIMDEX_S3_BUCKET" in S3Storage(replace(s3_options, bucket="absent")).check()[0]
    assert "HEIMDEX_S3_SECRET_KEY" in S3Storage(replace(s3_options, secret_key="wrong")).check()[0]
    assert "HEIMDEX_S3_ENDPOINT_URL" in S3Storage(replace(s3_options, endpoint_url=nobody)).check()[0]
    assert [problem.split()[4] for problem in S3Storage(replace(s3_options, bucket="", access_key="")).check()] == [
        "HEIMDEX_S3_BUCKET",
        "HEIMDEX_S3_ACCESS_KEY",
    ]
    with pytest.raises(StorageError, match="HEIMDEX_S3_SECRET_KEY"):
        S3Storage(replace(s3_options, secret_key="wrong")).save("a/b", b"x", "image/jpeg")


def test_clients_are_sent_to_the_public_name_of_the_service(s3_options: S3Options) -> None:
    storage = S3Storage(replace(s3_options, public_endpoint_url="https://media.example.org"))

    assert storage.download_url("a/b", 60).startswith("https://media.example.org/media/a/b?")
    assert storage.upload_target("a/b", size=1, content_type="video/mp4", expires_in_s=60).url.startswith("https://media.example.org/")
    assert storage.check() == []


def test_the_secret_is_not_shown(s3_options: S3Options) -> None:
    assert s3_options.secret_key not in repr(s3_options)


def test_variables_of_other_tools_are_not_mixed_in(s3_options: S3Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another account")
    monkeypatch.setenv("AWS_S3_SESSION_PROFILE", "of another tool")

    assert S3Storage(s3_options).check() == []


def test_threads_share_one_connection(s3_options: S3Options) -> None:
    storage = S3Storage(s3_options)
    with ThreadPoolExecutor(4) as threads:
        urls = list(threads.map(lambda number: storage.download_url(f"a/{number}", 60), range(8)))
        connections = {id(connection) for connection in threads.map(lambda _: storage._files.connection, range(8))}

    assert len(set(urls)) == 8
    assert len(connections) == 1
