"""Read the documents of the index: all of them in order, or those of some scenes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from opensearchpy import OpenSearch

from videos.search.lexical.base import WordChange
from videos.search.lexical.opensearch.connection import WRITE_TIMEOUT_S
from videos.search.lexical.opensearch.index_schema import get_routing

_PAGE = 5000
_KEEP_ALIVE = "5m"


class StoredDocument(NamedTuple):
    """A document of the index: its scene, the owner under which it is stored, and the hash of the texts that it was made from."""

    scene_id: UUID
    owner_id: UUID
    text_hash: str


@dataclass
class DocumentScan:
    """Reads all documents, or those of one owner, as they are at one moment, in the order of their scenes.

    When it has ended, `is_complete` tells whether the server has returned every one of them.
    """

    client: OpenSearch
    alias: str
    owner_id: UUID | None = None
    is_complete: bool = False

    def __iter__(self) -> Iterator[StoredDocument]:
        params = {"keep_alive": _KEEP_ALIVE, "request_timeout": WRITE_TIMEOUT_S}
        self.client.indices.refresh(index=self.alias, params={"request_timeout": WRITE_TIMEOUT_S})
        pit = self.client.create_pit(index=self.alias, params=params)["pit_id"]
        try:
            yield from self._read_pages(pit)
        finally:
            self.client.delete_pit(body={"pit_id": [pit]}, params={"ignore": 404})

    def _read_pages(self, pit: str) -> Iterator[StoredDocument]:
        query = {"term": {"owner": str(self.owner_id)}} if self.owner_id else {"match_all": {}}
        body: dict[str, Any] = {
            "size": _PAGE,
            "query": query,
            "pit": {"id": pit, "keep_alive": _KEEP_ALIVE},
            "sort": [{"scene": "asc"}, {"owner": "asc"}],
            "track_total_hits": True,
        }
        self.is_complete = False
        count = 0
        while True:
            answer = self.client.search(body=body, params={"request_timeout": WRITE_TIMEOUT_S})
            hits = answer["hits"]["hits"]
            count += len(hits)
            yield from (_read_document(hit["_source"]) for hit in hits)
            is_whole = is_whole_answer(answer)
            if not hits or not is_whole:
                self.is_complete = is_whole and count == answer["hits"]["total"]["value"]
                return
            body["search_after"] = hits[-1]["sort"]


def is_whole_answer(answer: Any) -> bool:
    """Return whether all parts of the index have answered in time. Pure."""
    return not answer["timed_out"] and not answer["_shards"]["failed"] and answer["hits"]["total"]["relation"] == "eq"


def get_documents(client: OpenSearch, alias: str, keys: Sequence[WordChange]) -> dict[WordChange, StoredDocument]:
    """Return the documents of some scenes of some owners, also those that no search finds yet."""
    if not keys:
        return {}
    # An owner whose documents are in the same part of the index may have the scene now.
    stored = {_read_document(doc["_source"]) for doc in _get_all(client, alias, keys) if doc.get("found")}
    return {WordChange(document.owner_id, document.scene_id): document for document in stored}


def get_versions(client: OpenSearch, alias: str, keys: Sequence[WordChange]) -> dict[WordChange, int]:
    """Return the versions of those documents that exist."""
    docs = zip(keys, _get_all(client, alias, keys), strict=True)
    return {key: int(doc["_version"]) for key, doc in docs if doc.get("found")}


def _get_all(client: OpenSearch, alias: str, keys: Sequence[WordChange]) -> list[dict[str, Any]]:
    docs = [{"_id": str(key.scene_id), "routing": get_routing(key.owner_id)} for key in keys]
    answers: list[dict[str, Any]] = client.mget(index=alias, body={"docs": docs}, params={"request_timeout": WRITE_TIMEOUT_S})["docs"]
    return answers


def _read_document(source: Any) -> StoredDocument:
    return StoredDocument(UUID(source["scene"]), UUID(source["owner"]), source["text_hash"])
