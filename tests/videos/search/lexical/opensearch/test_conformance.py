"""OpenSearch passes the suite of lexical backends: when every change was sent, and when none was."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.opensearch.backends import BACKEND, configure, create_index
from tests.opensearch.server import DEFAULT, RELEASES, OpenSearchServers
from tests.videos.search.lexical.conformance import LexicalConformance
from videos.search.lexical.base import LexicalBackend
from videos.search.lexical.handler import get_lexical_backend
from videos.search.lexical.opensearch.backend import OpenSearchLexical

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", params=RELEASES)
def current_backends(request: pytest.FixtureRequest, opensearch_servers: OpenSearchServers) -> Iterator[dict[str, dict[str, object]]]:
    """Yield LEXICAL_BACKENDS with a backend that sends every change before a search. Tests share its index: each has its own owners."""
    yield from prepare_index(opensearch_servers.get_url(request.param), "tests.opensearch.backends.CurrentLexical")


@pytest.fixture(scope="module")
def late_backends(opensearch_servers: OpenSearchServers) -> Iterator[dict[str, dict[str, object]]]:
    """Yield LEXICAL_BACKENDS with a backend whose changes nobody sends."""
    yield from prepare_index(opensearch_servers.get_url(DEFAULT), BACKEND)


def prepare_index(url: str, path: str) -> Iterator[dict[str, dict[str, object]]]:
    backends = configure(url, path)
    backend = OpenSearchLexical(**backends["default"]["OPTIONS"])
    name = create_index(backend)
    yield backends
    backend.client.indices.delete(index=name)


class TestCurrent(LexicalConformance):
    @pytest.fixture
    def backend(self, settings: Settings, current_backends: dict[str, object]) -> LexicalBackend:
        settings.LEXICAL_BACKENDS = current_backends
        return get_lexical_backend()


class TestPending(LexicalConformance):
    @pytest.fixture
    def backend(self, settings: Settings, late_backends: dict[str, object]) -> LexicalBackend:
        settings.LEXICAL_BACKENDS = late_backends
        return get_lexical_backend()
