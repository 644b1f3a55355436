"""Both storages, each behind a real server that runs once for all tests."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from heimdex.storage import MediaStorage
from heimdex.storage.local import LocalStorage
from heimdex.storage.options import LocalOptions, S3Options
from heimdex.storage.s3 import S3Storage
from tests.heimdex.storage.seaweed import seaweed
from tests.heimdex.storage.web import WebServer, web_server


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("web")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    with seaweed(tmp_path_factory.mktemp("s3") / "weed") as options:
        yield options


@pytest.fixture(scope="session")
def local(web: WebServer) -> LocalStorage:
    return LocalStorage(LocalOptions(root=web.home / "media", public_url=web.url))


@pytest.fixture(scope="session", params=["local", "s3"])
def storage(request: pytest.FixtureRequest) -> MediaStorage:
    if request.param == "local":
        local: LocalStorage = request.getfixturevalue("local")
        return local
    return S3Storage(request.getfixturevalue("s3_options"))


@pytest.fixture
def folder() -> str:
    """A prefix that no other test writes to."""
    return f"owners/{uuid.uuid4()}/videos/{uuid.uuid4()}"


@pytest.fixture
def scratch_files(storage: MediaStorage) -> Path:
    """The directory that must be empty when nothing is going on."""
    assert isinstance(storage, LocalStorage | S3Storage)
    return storage.options.root / "scratch" if isinstance(storage, LocalStorage) else storage.options.scratch
