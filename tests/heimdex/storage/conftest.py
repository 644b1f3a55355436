"""Both media storages, each behind a real server that runs once for all tests."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from heimdex.storage import MediaStorage
from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.s3 import S3MediaStorage
from tests.heimdex.storage.seaweed import S3Options, run_seaweed
from tests.heimdex.storage.web import WebServer, run_web_server


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with run_web_server(tmp_path_factory.mktemp("web")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    with run_seaweed(tmp_path_factory.mktemp("s3") / "weed") as options:
        yield options


@pytest.fixture(scope="session")
def local(web: WebServer) -> LocalMediaStorage:
    return LocalMediaStorage(root=web.home / "media", public_url=web.url)


@pytest.fixture(scope="session", params=["local", pytest.param("s3", marks=pytest.mark.integration)])
def storage(request: pytest.FixtureRequest) -> MediaStorage:
    if request.param == "local":
        local: LocalMediaStorage = request.getfixturevalue("local")
        return local
    return S3MediaStorage(**request.getfixturevalue("s3_options"))


@pytest.fixture
def folder() -> str:
    """Return a prefix that no other test writes to. No app has rows for its keys, which the web server would look up in a database."""
    return f"tests/{uuid.uuid4()}"


@pytest.fixture
def scratch_files(storage: MediaStorage) -> Path:
    """Return the directory that is empty unless a file is being transferred."""
    assert isinstance(storage, LocalMediaStorage | S3MediaStorage)
    return storage.root / "scratch" if isinstance(storage, LocalMediaStorage) else storage.scratch
