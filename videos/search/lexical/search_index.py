"""The index of words outside the database, if there is one: its state, and what it still has to receive.

Nothing of a server's client is imported where words are searched in PostgreSQL.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import DatabaseError, connection
from django.db.models import Min

from videos.models import SearchChange
from videos.search.lexical.base import LexicalUnavailable
from videos.search.lexical.handler import DEFAULT, lexical_backends
from videos.search.lexical.scene_documents import IndexView, find_last_written

if TYPE_CHECKING:
    from videos.search.lexical.opensearch.backend import OpenSearchLexical
    from videos.search.lexical.opensearch.index_state import IndexIdentity

log = structlog.get_logger(__name__)

# Other recurring tasks are on other threads, so this only limits how long one connection is kept.
_SEND_S = 60.0
_sending = threading.Lock()


@dataclass(frozen=True)
class OutboxCounts:
    """How many changes wait, since when, and how many the server has refused for good."""

    waiting: int
    dead: int
    since: datetime | None


def find_search_index() -> "OpenSearchLexical | None":
    """Return the backend whose index is outside the database; None where words are searched in PostgreSQL."""
    backend = lexical_backends[DEFAULT]
    if not backend.has_outbox:
        return None
    from videos.search.lexical.opensearch.backend import OpenSearchLexical

    return backend if isinstance(backend, OpenSearchLexical) else None


def get_index_identity() -> "IndexIdentity | None":
    """Return the versions that decide the documents of a new index; None where there is no index."""
    if find_search_index() is None:
        return None
    from heimdex.text_analysis import ANALYSIS_VERSION
    from videos.search.lexical.opensearch.index_schema import MAPPING_VERSION
    from videos.search.lexical.opensearch.index_state import IndexIdentity

    return IndexIdentity(MAPPING_VERSION, ANALYSIS_VERSION)


def read_index_view() -> IndexView | None:
    """Return the index that documents are written to; None where there is none. The server is asked once."""
    backend = find_search_index()
    if backend is None:
        return None
    try:
        state = backend.read_state()
        state.refuse_newer()
    except LexicalUnavailable as error:
        return IndexView(find_last_written(), problem=str(error))
    identity = get_index_identity()
    replaced = state.searched.name if state.searched and state.searched.identity != identity else ""
    target = state.target
    return IndexView(target.name if target else "", replaced, is_searched=target is not None and target == state.searched)


def find_obstacle() -> str:
    """Return the reason why the server takes no documents now; an empty string if it does, or without an index."""
    backend = find_search_index()
    return backend.find_obstacle() if backend else ""


def enqueue(scene_ids: list[UUID]) -> int:
    """Have the documents of some scenes written again. Return how many scenes; 0 without an index."""
    if find_search_index() is None:
        return 0
    from videos.search.lexical.opensearch.outbox import enqueue as enqueue_scenes

    return enqueue_scenes(scene_ids)


def count_outbox() -> OutboxCounts:
    """Count the changes that the index has not received."""
    waiting = SearchChange.objects.filter(is_dead=False)
    return OutboxCounts(
        waiting.count(), SearchChange.objects.filter(is_dead=True).count(), waiting.aggregate(since=Min("created_at"))["since"]
    )


def send_in_background() -> None:
    """Send the outbox on a thread, unless one does it already: a server that hangs must not delay other recurring tasks."""
    if find_search_index() is not None and SearchChange.objects.filter(is_dead=False).exists() and _sending.acquire(blocking=False):
        threading.Thread(target=_send, name="search-index", daemon=True).start()


def _send() -> None:
    try:
        if (backend := find_search_index()) is not None:
            backend.send_changes(_SEND_S)
    except LexicalUnavailable as error:
        log.warning("Changes wait until OpenSearch takes them", reason=str(error))
    except DatabaseError as error:
        log.warning("Could not send changes to the search index; trying again", reason=str(error).strip())
    except Exception:
        log.exception("Could not send changes to the search index")
    finally:
        connection.close()
        _sending.release()
