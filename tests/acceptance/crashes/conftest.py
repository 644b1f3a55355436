"""Workers that call a counting embedding server and can be stopped at an exact point."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from heimdex.queue import REPROCESS
from tests.acceptance.conftest import Workers, build_worker_environment
from tests.acceptance.crashes.library import SECOND
from tests.acceptance.crashes.models import CountingServer, build_backends
from tests.heimdex.embedders.openai_server import serve_embeddings
from tests.heimdex.valkey import Valkey

# One worker per point of the loop at which a worker is stopped.
WORKERS = 8
# Where tasks wait, as parameters of `redis_url`.
QUEUES = ("database", pytest.param("redis", marks=pytest.mark.crash))


@pytest.fixture(scope="package")
def embeddings() -> Iterator[CountingServer]:
    """Serve embeddings, count them, and hold them back on request."""
    server = CountingServer()
    with serve_embeddings(server):
        yield server
        server.release()


@pytest.fixture(scope="package")
def durable(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make commits survive a killed server; otherwise the suite does not need that."""

    def alter_database(setting: str) -> None:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" {setting}')

    alter_database("SET synchronous_commit = on")
    yield
    alter_database("RESET synchronous_commit")


@pytest.fixture(scope="package")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Run a server in which tasks can wait."""
    server = Valkey(tmp_path_factory.mktemp("queue") / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Return the Redis URL; empty means the database, unless a test is parametrized with QUEUES."""
    redis = getattr(request, "param", "database") == "redis"
    settings.REDIS_URL = request.getfixturevalue("valkey").url if redis else ""
    return settings.REDIS_URL


def build_environment(server: CountingServer, model: str, redis_url: str, faces: str = "") -> dict[str, str]:
    """Return the environment of workers that embed with the server's models and have short timeouts."""
    models = {
        alias: {"backend": backend["BACKEND"], **backend["OPTIONS"]} for alias, backend in build_backends(server, model, faces).items()
    }
    return {
        **build_worker_environment(),
        "DJANGO_SETTINGS_MODULE": "tests.acceptance.crashes.impatient_settings",
        # Longer than any worker stands still, even on a busy machine; the tests let the leases of killed workers expire.
        "HEIMDEX_LEASE_S": "300",
        "HEIMDEX_HUNG_AFTER_S": "60",
        "HEIMDEX_RETRY_AFTER_S": "1",
        "HEIMDEX_REPROCESS_WORKERS": str(WORKERS),
        "HEIMDEX_UPLOAD_WORKERS": str(WORKERS),
        "HEIMDEX_FACES": "on" if faces else "off",
        "HEIMDEX_MODELS": json.dumps(models),
        "HEIMDEX_REDIS_URL": redis_url,
    }


@pytest.fixture
def serve(clusters: Workers, embeddings: CountingServer, durable: None, redis_url: str) -> Callable[[str], Workers]:
    """Return a function that runs only reprocessing workers, configured with a text model."""

    def serve_model(model: str) -> Workers:
        clusters.serve({REPROCESS: build_environment(embeddings, model, redis_url)})
        return clusters

    return serve_model


@pytest.fixture
def second_model_workers(serve: Callable[[str], Workers], embeddings: CountingServer) -> Iterator[Workers]:
    """Run workers that are configured with the second text model."""
    embeddings.requests.clear()
    yield serve(SECOND)
    embeddings.release()


@pytest.fixture
def serve_faces(clusters: Workers, embeddings: CountingServer, durable: None, redis_url: str) -> Iterator[Callable[[str], Workers]]:
    """Return a function that runs only the workers of one queue, configured with the second face model."""

    def serve_model(queue: str) -> Workers:
        clusters.serve({queue: build_environment(embeddings, SECOND, redis_url, SECOND)})
        return clusters

    embeddings.requests.clear()
    yield serve_model
    embeddings.release()
