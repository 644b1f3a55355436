"""Workers that call a counting server of embeddings and can be stopped at an exact place."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from heimdex.queue import REPROCESS
from tests.acceptance.conftest import Workers, worker_environment
from tests.acceptance.crashes.library import SECOND
from tests.acceptance.crashes.models import CountingServer, backends
from tests.heimdex.embedders.openai_server import running

# As many as there are places in the loop at which a worker is stopped.
WORKERS = 8


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


def environment(server: CountingServer, model: str) -> dict[str, str]:
    """Return the environment of workers that embed by a model of the server, and are impatient."""
    models = {alias: {"backend": backend["BACKEND"], **backend["OPTIONS"]} for alias, backend in backends(server, model).items()}
    return {
        **worker_environment(),
        "DJANGO_SETTINGS_MODULE": "tests.acceptance.crashes.impatient_settings",
        # Kept every five seconds while a model is waited for.
        "HEIMDEX_LEASE_S": "7",
        "HEIMDEX_HUNG_AFTER_S": "60",
        "HEIMDEX_REPROCESS_WORKERS": str(WORKERS),
        "HEIMDEX_MODELS": json.dumps(models),
    }


@pytest.fixture
def serve(clusters: Workers, embeddings: CountingServer, durable: None) -> Callable[[str], Workers]:
    """Return what runs workers, of reprocessing alone, that are configured with a text model."""

    def serving(model: str) -> Workers:
        clusters.serve({REPROCESS: environment(embeddings, model)})
        return clusters

    return serving


@pytest.fixture
def second_model_workers(serve: Callable[[str], Workers], embeddings: CountingServer) -> Iterator[Workers]:
    """Run workers that are configured with the second text model."""
    embeddings.requests.clear()
    yield serve(SECOND)
    embeddings.release()
