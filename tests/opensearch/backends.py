"""The backend under test, with an index at hand."""

from uuid import uuid4

from videos.search.lexical.base import LexicalAnswer, LexicalQuery
from videos.search.lexical.opensearch.backend import OpenSearchLexical
from videos.search.lexical.opensearch.index_schema import build_index

BACKEND = "videos.search.lexical.opensearch.backend.OpenSearchLexical"


class CurrentLexical(OpenSearchLexical):
    """Sends every change before a search, and fails where PostgreSQL would answer instead."""

    def search(self, query: LexicalQuery) -> LexicalAnswer:
        self.drain.run()
        answer = super().search(query)
        assert answer.notices == (), answer.notices
        return answer


def configure(url: str, backend: str = BACKEND, **options: str) -> dict[str, dict[str, object]]:
    """Return LEXICAL_BACKENDS with a backend whose indexes have a prefix of their own."""
    return {"default": {"BACKEND": backend, "OPTIONS": {"url": url, "index": f"test-{uuid4().hex[:12]}", **options}}}


def create_index(backend: OpenSearchLexical) -> str:
    """Create an empty index behind the alias, and return its name."""
    name = f"{backend.names.alias}-v1-empty"
    backend.client.indices.create(index=name, body=build_index([backend.names.alias]), params={"request_timeout": 60})
    return name
