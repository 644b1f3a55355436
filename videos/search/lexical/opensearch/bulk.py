"""Write documents in bulk, and read which of them the server refused, and why."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from opensearchpy import OpenSearch

from videos.models import SceneWords
from videos.search.lexical.base import WordChange
from videos.search.lexical.opensearch.connection import READ_ONLY, WRITE_TIMEOUT_S, is_block, is_missing, is_read_only
from videos.search.lexical.opensearch.index_schema import build_document, get_routing

# In ASCII characters. Amazon's smallest servers take requests of 10 MB.
MAX_REQUEST_LENGTH = 5_000_000
MOVED = "The search index was replaced or deleted while it was written. If this stays so, run manage.py search_index rebuild."
OVERLOADED = "OpenSearch takes no more documents at the moment: look at its load."
# Reasons of the server may quote whole documents.
_MAX_REASON = 500


@dataclass(frozen=True)
class DocumentWrite:
    """What is to become of a scene's document: that of `words`, or none. A write of a lower version than the document's changes nothing."""

    change: WordChange
    version: int
    words: SceneWords | None


class Result(Enum):
    """What the server did with a write."""

    DONE = "done"
    # The document is of a later version.
    SUPERSEDED = "superseded"
    # Nothing can be written at the moment.
    BLOCKED = "blocked"
    # The alias has no index (any more).
    MOVED = "moved"
    # The server does not want this document.
    REFUSED = "refused"


@dataclass(frozen=True)
class WriteResult:
    """The result of a write, with the server's reason, and the index that it was written to."""

    write: DocumentWrite
    result: Result
    reason: str = ""
    index: str = ""


def write_documents(client: OpenSearch, aliases: Sequence[str], writes: Sequence[DocumentWrite], *, refresh: bool) -> list[WriteResult]:
    """Send writes to the indexes behind some aliases, and return a result for each of both.

    With `refresh`, searches find them afterwards. No index is created by accident.
    """
    params = {"require_alias": "true", "refresh": "true" if refresh else "false", "request_timeout": WRITE_TIMEOUT_S}
    results = []
    for request in split_requests([(write, _build_action(alias, write)) for write in writes for alias in aliases]):
        answer = client.bulk(body="".join(action for _, action in request), params=params)
        items = zip(request, answer["items"], strict=True)
        results += [read_result(write, next(iter(item.values()))) for (write, _), item in items]
    return results


def split_requests(actions: Iterable[tuple[DocumentWrite, str]]) -> list[list[tuple[DocumentWrite, str]]]:
    """Return the actions as requests that are short enough for small servers, in order. Pure."""
    requests: list[list[tuple[DocumentWrite, str]]] = []
    size = MAX_REQUEST_LENGTH
    for write, action in actions:
        size += len(action)
        if size > MAX_REQUEST_LENGTH:
            requests.append([])
            size = len(action)
        requests[-1].append((write, action))
    return requests


def read_result(write: DocumentWrite, item: Mapping[str, Any]) -> WriteResult:
    """Return what an item of the server's answer says about a write. Pure."""
    status, error = int(item["status"]), item.get("error") or {}
    kind = str(error.get("type", ""))
    if is_missing(kind):
        return WriteResult(write, Result.MOVED, kind)
    if is_block(status, kind):
        return WriteResult(write, Result.BLOCKED, kind)
    if status == 409:
        return WriteResult(write, Result.SUPERSEDED)
    # What is deleted need not exist.
    if status < 300 or (status == 404 and write.words is None):
        return WriteResult(write, Result.DONE, index=str(item.get("_index", "")))
    return WriteResult(write, Result.REFUSED, f"{kind}: {error.get('reason', status)}"[:_MAX_REASON])


def describe_obstacle(results: Iterable[WriteResult]) -> str:
    """Return what keeps documents from being written at the moment, whatever is in them, or an empty text. Pure."""
    for written in results:
        if written.result is Result.MOVED:
            return MOVED
        if written.result is Result.BLOCKED:
            return READ_ONLY if is_read_only(written.reason) else OVERLOADED
    return ""


def _build_action(alias: str, write: DocumentWrite) -> str:
    """Return the lines of JSON that write a document."""
    action = {
        "_index": alias,
        "_id": str(write.change.scene_id),
        "routing": get_routing(write.change.owner_id),
        "version": write.version,
        "version_type": "external_gte",
    }
    lines = [{"index": action}, build_document(write.words)] if write.words else [{"delete": action}]
    return "".join(f"{json.dumps(line)}\n" for line in lines)
