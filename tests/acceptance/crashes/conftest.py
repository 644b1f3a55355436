"""Workers that call a counting server of embeddings and can be stopped at an exact place."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from heimdex.queue import REPROCESS
from tests.acceptance.conftest import Workers, worker_environment
from tests.acceptance.crashes.library import SECOND
from tests.acceptance.crashes.models import CountingServer, backends
from tests.heimdex.embedders.openai_server import running
from tests.heimdex.valkey import Valkey

# As many as there are places in the loop at which a worker is stopped.
WORKERS = 8
# Where tasks wait, as parameters of `redis_url`.
QUEUES = ("database", pytest.param("redis", marks=pytest.mark.crash))


@pytest.fixture(scope="package")
def embeddings() -> Iterator[CountingServer]:
    """Serve embeddings, count them, and hold them back when told to."""
    server = CountingServer()
    with running(server):
        yield server
        server.release()


@pytest.fixture(scope="package")
def durable(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make commits last when the server is killed, which the suite's otherwise need not."""

    def change(what: str) -> None:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" {what}')

    change("SET synchronous_commit = on")
    yield
    change("RESET synchronous_commit")


@pytest.fixture(scope="package")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Run a server in which tasks can wait."""
    server = Valkey(tmp_path_factory.mktemp("queue") / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Return where tasks wait: in the database (no address) unless a test is parametrized with QUEUES."""
    redis = getattr(request, "param", "database") == "redis"
    settings.REDIS_URL = request.getfixturevalue("valkey").url if redis else ""
    return settings.REDIS_URL


def environment(server: CountingServer, model: str, redis_url: str, faces: str = "") -> dict[str, str]:
    """Return the environment of workers that embed by models of the server, and are impatient."""
    models = {alias: {"backend": backend["BACKEND"], **backend["OPTIONS"]} for alias, backend in backends(server, model, faces).items()}
    return {
        **worker_environment(),
        "DJANGO_SETTINGS_MODULE": "tests.acceptance.crashes.impatient_settings",
        # Kept every five seconds while a model is waited for.
        "HEIMDEX_LEASE_S": "10",
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
    """Return what runs workers, of reprocessing alone, that are configured with a text model."""

    def serving(model: str) -> Workers:
        clusters.serve({REPROCESS: environment(embeddings, model, redis_url)})
        return clusters

    return serving


@pytest.fixture
def second_model_workers(serve: Callable[[str], Workers], embeddings: CountingServer) -> Iterator[Workers]:
    """Run workers that are configured with the second text model."""
    embeddings.requests.clear()
    yield serve(SECOND)
    embeddings.release()


@pytest.fixture
def serve_faces(clusters: Workers, embeddings: CountingServer, durable: None, redis_url: str) -> Iterator[Callable[[str], Workers]]:
    """Return what runs the workers of one queue, and no others, that are configured with the second model of faces."""

    def serving(queue: str) -> Workers:
        # Taking a photo in starts a process, which takes long where eight do so at once.
        clusters.serve({queue: {**environment(embeddings, SECOND, redis_url, SECOND), "HEIMDEX_LEASE_S": "15"}})
        return clusters

    embeddings.requests.clear()
    yield serving
    embeddings.release()
    # They would go on asking for people while the tables are emptied.
    clusters.stop()
