"""Fixtures of all tests: a temporary home, and a real PostgreSQL with pgvector that starts with the first test that needs it."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker, Settings

# A busy machine may take a second to draw an example.
settings.register_profile("heimdex", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("heimdex")

# Which OpenSearch the tests use is read by tests.opensearch.server, and where judged sets are by bench.judged_sets.
OF_TESTS = frozenset({"HEIMDEX_TEST_OPENSEARCH_URL", "HEIMDEX_REQUIRE_OPENSEARCH", "HEIMDEX_QUALITY_SETS"})

# Before Django reads its settings: nothing of the developer's own installation may be touched.
for _name in [name for name in os.environ if name.startswith("HEIMDEX_") and name not in OF_TESTS]:
    del os.environ[_name]
_HOME = tempfile.TemporaryDirectory(prefix="heimdex-tests-")
os.environ["HEIMDEX_HOME"] = _HOME.name
# Most tests of runs count the channels of texts and images; those of people switch faces on (`faces_on`), installations have them on.
os.environ["HEIMDEX_FACES"] = "off"
# Most tests are about bookkeeping of vectors; those about their meaning use the packaged models (`packaged_models`).
os.environ["HEIMDEX_MODELS"] = json.dumps(
    {
        "text": {"backend": "tests.hashing_embedder.HashingTextEmbedder"},
        "image": {"backend": "tests.hashing_embedder.HashingImageEmbedder"},
    }
)
os.environ["DJANGO_SETTINGS_MODULE"] = "heimdex.settings"
if "PYTEST_XDIST_WORKER" in os.environ:
    # Two processes with two threads each would wait for each other on two cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import django  # noqa: E402

django.setup()

from django.db import connections  # noqa: E402
from django.test import TransactionTestCase, override_settings  # noqa: E402

from demo.film import DemoFilm, list_film_scenes  # noqa: E402
from heimdex.database.server import EmbeddedServer  # noqa: E402
from heimdex.profiles import CONSE, SENTENCE_TRANSFORMER, YUNET_SFACE  # noqa: E402
from tests import media, prepared_database  # noqa: E402
from tests.kept_models import keep_models  # noqa: E402
from tests.opensearch.server import OpenSearchServers  # noqa: E402

# Fixtures that start an S3 server, a Redis or an OpenSearch.
SECOND_SERVERS = frozenset({"s3_options", "redis", "opensearch_servers"})
SLOW_MODULES = [line for line in Path(__file__).with_name("slow_modules.txt").read_text().splitlines() if not line.startswith("#")]


def pytest_configure(config: pytest.Config) -> None:
    """Unset the settings for the processes of xdist: pytest-django would load them before this file sets the home of each."""
    if config.getoption("numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ:
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a second server and those of slow modules. In several processes, put slow modules first."""
    places = {config.rootpath / name: place for place, name in enumerate(SLOW_MODULES)}
    for item in items:
        if SECOND_SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)
        if item.path in places:
            item.add_marker(pytest.mark.slow)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, whether or not the tests passed."""
    EmbeddedServer(Path(_HOME.name)).stop()
    _HOME.cleanup()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Start PostgreSQL with an empty, migrated database."""
    with django_db_blocker.unblock():
        prepared_database.start_server(Path(_HOME.name))
    with (
        mock.patch.object(TransactionTestCase, "_fixture_teardown", prepared_database.empty_tables_of),
        # Threads that run parts of requests would keep their connections after a test.
        mock.patch("heimdex.database.parallel.close_old_connections", connections.close_all),
    ):
        yield


@pytest.fixture(scope="module", autouse=True)
def no_rows_are_left(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Fail a module that leaves rows in the database."""
    yield
    if prepared_database.is_started():
        with django_db_blocker.unblock():
            prepared_database.check_that_tables_are_empty(request.node.nodeid)


@pytest.fixture(scope="session")
def demo_film() -> DemoFilm:
    """Return the demo film, whose cuts and words are known."""
    return DemoFilm(media.build_demo_video(), list_film_scenes())


@pytest.fixture(scope="session", autouse=True)
def models_stay_loaded() -> Iterator[None]:
    """Load each packaged model once for all tests."""
    with keep_models():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash passwords at the lowest cost."""
    with override_settings(PASSWORD_HASHERS=["tests.quick_hasher.QuickHasher"]):
        yield


@pytest.fixture(scope="session")
def opensearch_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearchServers]:
    """Return the servers of all releases, which start when a test asks for them."""
    servers = OpenSearchServers(tmp_path_factory.mktemp("opensearch"))
    yield servers
    servers.stop()


@pytest.fixture
def packaged_models(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embed texts and images with the packaged models, here and in the processes that the test starts."""
    settings.MODEL_BACKENDS = {
        **settings.MODEL_BACKENDS,
        "text": {"BACKEND": SENTENCE_TRANSFORMER, "OPTIONS": {"model": "all-MiniLM-L6-v2", "dimensions": 384}},
        "image": {"BACKEND": CONSE, "OPTIONS": {}},
    }
    monkeypatch.delenv("HEIMDEX_MODELS")


@pytest.fixture
def faces_on(settings: Settings) -> None:
    """Find faces with the packaged model."""
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "faces": {"BACKEND": YUNET_SFACE, "OPTIONS": {}}}
