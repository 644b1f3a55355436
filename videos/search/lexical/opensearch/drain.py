"""Send the outbox to OpenSearch, in batches. Several processes may do so at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from opensearchpy import OpenSearch

from videos.models import SceneWords, SearchChange
from videos.search.lexical.base import WordChange
from videos.search.lexical.opensearch.bulk import DocumentWrite, Result, WriteResult, describe_obstacle, write_documents
from videos.search.lexical.opensearch.connection import SearchConnection, SearchServerAway
from videos.search.lexical.opensearch.documents import get_versions
from videos.search.lexical.opensearch.index_schema import IndexNames
from videos.search.lexical.opensearch.index_state import read_state
from videos.search.lexical.opensearch.outbox import NextVersion
from videos.search.lexical.opensearch.record import record_documents

log = structlog.get_logger(__name__)

BATCH = 200
# The pause before a refused document is sent again doubles from this (seconds).
FIRST_RETRY_S = 5
# How often a batch is sent again because an index was replaced meanwhile.
_MAX_MOVES = 5
TOO_NEW = (
    "The document in OpenSearch is of a later version than any of this database, as after a restored backup: "
    "run manage.py search_index rebuild."
)


@dataclass(frozen=True)
class Drained:
    """How many scenes were sent, refused for now, and given up."""

    sent: int = 0
    refused: int = 0
    dead: int = 0

    def __add__(self, other: "Drained") -> "Drained":
        return Drained(self.sent + other.sent, self.refused + other.refused, self.dead + other.dead)


class Drain:
    """Sends the changes of the outbox that are due."""

    def __init__(self, connection: SearchConnection, client: OpenSearch, names: IndexNames) -> None:
        self._connection = connection
        self._client = client
        self._names = names

    def run(self, max_s: float | None = None, scene_ids: Collection[UUID] | None = None) -> Drained:
        """Send changes, or those of some scenes, until none is due, or for about `max_s` seconds.

        Raise SearchServerAway, which loses and counts nothing.
        """
        began = monotonic()
        total = Drained()
        while (drained := self._send_batch(scene_ids)) is not None:
            total += drained
            if max_s is not None and monotonic() - began >= max_s:
                break
        return total

    def _send_batch(self, scene_ids: Collection[UUID] | None) -> Drained | None:
        """Send the next changes. Return None when there are none."""
        due = select_due() if scene_ids is None else select_due().filter(scene_id__in=scene_ids)
        with transaction.atomic():
            changes = list(due.select_for_update(skip_locked=True)[:BATCH])
            if not changes:
                return None
            writes = build_writes(changes)
            for _ in range(_MAX_MOVES):
                with self._connection.explained():
                    aliases = read_state(self._client, self._names).list_written()
                    results = write_documents(self._client, aliases, writes, refresh=True)
                if not any(result.result is Result.MOVED for result in results):
                    break
            return self._settle(changes, results, aliases[0])

    def _settle(self, changes: Sequence[SearchChange], results: Sequence[WriteResult], alias: str) -> Drained:
        """Delete what was sent, and postpone what was refused."""
        if obstacle := describe_obstacle(results):
            raise SearchServerAway(obstacle)
        record_documents(results)
        refused = {result.write.change: result.reason for result in results if result.result is Result.REFUSED}
        refused |= dict.fromkeys(self._find_too_new(changes[0], results, alias), TOO_NEW)
        sent = [change for change in changes if _get_change(change) not in refused]
        SearchChange.objects.filter(pk__in=[*(change.pk for change in sent), *_list_superseded_dead(sent)]).delete()
        dead = _postpone([change for change in changes if _get_change(change) in refused], refused)
        return Drained(len({change.scene_id for change in sent}), len(refused) - dead, dead)

    def _find_too_new(self, change: SearchChange, results: Iterable[WriteResult], alias: str) -> list[WordChange]:
        """Return superseded writes whose documents are newer than the whole outbox: the database is older than the index."""
        keys = list({result.write.change for result in results if result.result is Result.SUPERSEDED})
        if not keys:
            return []
        newest = SearchChange.objects.filter(pk=change.pk).annotate(version=NextVersion()).values_list("version", flat=True).get()
        with self._connection.explained():
            versions = get_versions(self._client, alias, keys)
        return [key for key in keys if versions.get(key, 0) > newest]


def select_due() -> QuerySet[SearchChange]:
    """Return the changes that are to be sent now, in order."""
    return SearchChange.objects.filter(is_dead=False, tries_at__lte=timezone.now()).order_by("pk")


def build_writes(changes: Sequence[SearchChange]) -> list[DocumentWrite]:
    """Return one write per scene and owner, of the latest version, with the words that the scene has now."""
    versions: dict[WordChange, int] = {}
    for change in changes:
        key = _get_change(change)
        versions[key] = max(change.pk, versions.get(key, 0))
    rows: Mapping[UUID, SceneWords] = SceneWords.objects.in_bulk([key.scene_id for key in versions])
    ordered = sorted(versions.items(), key=lambda item: item[1])
    return [DocumentWrite(key, version, _get_words(rows, key)) for key, version in ordered]


def _list_superseded_dead(sent: Sequence[SearchChange]) -> list[int]:
    """Return the ids of changes that were given up, of documents that have arrived now."""
    keys = {_get_change(change) for change in sent}
    dead = SearchChange.objects.filter(is_dead=True, scene_id__in=[key.scene_id for key in keys])
    return [change.pk for change in dead if _get_change(change) in keys]


def _get_change(change: SearchChange) -> WordChange:
    return WordChange(change.owner_id, change.scene_id)


def _get_words(rows: Mapping[UUID, SceneWords], change: WordChange) -> SceneWords | None:
    words = rows.get(change.scene_id)
    return words if words and words.owner_id == change.owner_id else None


def _postpone(changes: Sequence[SearchChange], reasons: Mapping[WordChange, str]) -> int:
    """Count an attempt of refused changes. Return how many scenes are given up."""
    dead = set()
    for change in changes:
        change.error = reasons[_get_change(change)]
        change.attempts += 1
        change.tries_at = timezone.now() + timedelta(seconds=FIRST_RETRY_S * 2 ** (change.attempts - 1))
        change.is_dead = change.attempts >= settings.MAX_ATTEMPTS
        if change.is_dead:
            dead.add(_get_change(change))
            log.error("OpenSearch refuses a document", scene_id=str(change.scene_id), reason=change.error)
    SearchChange.objects.bulk_update(changes, ["error", "attempts", "tries_at", "is_dead"])
    return len(dead)
