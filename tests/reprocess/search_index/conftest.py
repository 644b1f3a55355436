"""An OpenSearch without an index, and videos that were indexed before."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.library import make_user
from tests.opensearch.backends import configure
from tests.opensearch.server import DEFAULT, OpenSearchServer, OpenSearchServers
from tests.reprocess.search_index.documents import make_old_video
from videos.models import Video
from videos.search.lexical.handler import lexical_backends
from videos.search.lexical.opensearch import circuit
from videos.search.lexical.opensearch.backend import OpenSearchLexical


@pytest.fixture(scope="session")
def opensearch_server(opensearch_servers: OpenSearchServers) -> OpenSearchServer:
    """Return a server that tests may stop."""
    return opensearch_servers.get(DEFAULT)


@pytest.fixture
def backend(settings: Settings, opensearch_server: OpenSearchServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSearchLexical]:
    """Return the backend that actions use, without any index yet. A search after a failure tries again at once."""
    monkeypatch.setattr(circuit, "compute_probe_delay_s", lambda failures: 0.0)
    settings.LEXICAL_BACKENDS = configure(opensearch_server.url)
    backend = lexical_backends["default"]
    assert isinstance(backend, OpenSearchLexical)
    yield backend
    backend.client.indices.delete(index=backend.names.pattern, params={"request_timeout": 60})


@pytest.fixture
def film(backend: OpenSearchLexical) -> Video:
    """Return a video that was indexed before words were searched in OpenSearch."""
    return make_old_video(make_user(), ["A boat.", "A hat.", "A goat."])
