"""An OpenSearch, and the backend with an index of its own."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.opensearch.backends import configure, create_index
from tests.opensearch.server import DEFAULT, OpenSearchServer, OpenSearchServers
from videos.search.lexical.handler import lexical_backends
from videos.search.lexical.opensearch.backend import OpenSearchLexical


@pytest.fixture(scope="session")
def server(opensearch_servers: OpenSearchServers) -> OpenSearchServer:
    """Return a server that tests may stop and freeze."""
    return opensearch_servers.get(DEFAULT)


@pytest.fixture
def opensearch_url(opensearch_servers: OpenSearchServers) -> str:
    """Return the URL of a server."""
    return opensearch_servers.get_url(DEFAULT)


@pytest.fixture
def opensearch(settings: Settings, opensearch_url: str) -> Iterator[OpenSearchLexical]:
    """Return the backend that actions use, with an empty index."""
    settings.LEXICAL_BACKENDS = configure(opensearch_url)
    backend = lexical_backends["default"]
    assert isinstance(backend, OpenSearchLexical)
    create_index(backend)
    yield backend
    backend.client.indices.delete(index=f"{backend.names.pattern}")
