"""Build a new index from the database beside the one that is searched, and then let searches use it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import sleep
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from opensearchpy import OpenSearch

from heimdex.database.session_lock import try_lock
from videos.models import SceneWords, Video
from videos.search.lexical.base import WordChange
from videos.search.lexical.opensearch.bulk import DocumentWrite, Result, describe_obstacle, write_documents
from videos.search.lexical.opensearch.connection import WRITE_TIMEOUT_S, SearchConnection, SearchServerAway
from videos.search.lexical.opensearch.index_schema import IndexNames, build_index
from videos.search.lexical.opensearch.index_state import read_state
from videos.search.lexical.opensearch.outbox import NextVersion, enqueue
from videos.search.lexical.opensearch.record import record_documents

log = structlog.get_logger(__name__)

BATCH = 200
_VIDEOS = 500
# A server that is away for a moment does not end a long build (seconds between tries).
_WAITS_S = (1, 2, 4, 8, 16)
_PARAMS = {"request_timeout": WRITE_TIMEOUT_S}


class RebuildRefused(Exception):
    """The index was not rebuilt. The message says why, and what to do."""


@dataclass(frozen=True)
class Rebuilt:
    """The new index, its documents, and the scenes whose documents OpenSearch refused: the outbox tries them again."""

    name: str
    documents: int
    refused: int


class Rebuild:
    """Builds an index. Changes that are made meanwhile go to both indexes (`IndexState.list_written`)."""

    def __init__(self, connection: SearchConnection, client: OpenSearch, names: IndexNames) -> None:
        self._connection = connection
        self._client = client
        self._names = names

    def run(self, on_progress: Callable[[int], None] = lambda count: None) -> Rebuilt:
        """Build an index and search it from then on. Raise RebuildRefused, or SearchServerAway, after which the old one stays in use."""
        with try_lock(self._names.alias) as has_lock:
            if not has_lock:
                raise RebuildRefused("Another process rebuilds the search index. Wait until it has ended.")
            with self._connection.explained():
                name = self.create()
                written, refused = self._fill(on_progress)
                if refused and not written:
                    raise RebuildRefused(f"OpenSearch refuses every document, so the old index stays: {next(iter(refused.values()))}")
                # They are tried again, and in the end given up and listed.
                enqueue([change.scene_id for change in refused])
                self.switch(name)
        log.info("The search index was rebuilt", index=name, documents=written)
        return Rebuilt(name, written, len(refused))

    def create(self) -> str:
        """Delete what a killed build has left, and create the new index. Hold the lock of the alias."""
        searched = read_state(self._client, self._names).searched
        self._delete_others(searched.name if searched else "")
        name = self._names.create(timezone.now())
        self._client.indices.create(index=name, body=build_index([self._names.next_alias]), params=_PARAMS)
        return name

    def _fill(self, on_progress: Callable[[int], None]) -> tuple[int, dict[WordChange, str]]:
        """Write all documents. Return how many were written, and the server's reasons for those that it refused."""
        written, refused, batch = 0, dict[WordChange, str](), list[DocumentWrite]()
        for writes in _iter_videos():
            batch += writes
            while len(batch) >= BATCH:
                refused |= self._write(batch[:BATCH])
                written += BATCH
                batch = batch[BATCH:]
                on_progress(written)
        if batch:
            refused |= self._write(batch)
            on_progress(written + len(batch))
        return written + len(batch) - len(refused), refused

    def _write(self, writes: Sequence[DocumentWrite]) -> dict[WordChange, str]:
        """Write documents, patiently. Return the reasons for those that are refused."""
        for wait_s in (*_WAITS_S, None):
            try:
                with self._connection.explained():
                    results = write_documents(self._client, [self._names.next_alias], writes, refresh=False)
                if any(result.result is Result.MOVED for result in results):
                    raise RebuildRefused("The new index has vanished, or another process builds one. Run it again.")
                if obstacle := describe_obstacle(results):
                    raise SearchServerAway(obstacle)
                record_documents(results)
                break
            except SearchServerAway:
                if wait_s is None:
                    raise
                sleep(wait_s)
        return {result.write.change: result.reason for result in results if result.result is Result.REFUSED}

    def switch(self, name: str) -> None:
        """Let searches use the new index, in one step, unless another one is being built by now. Hold the lock of the alias."""
        self._client.indices.refresh(index=name, params=_PARAMS)
        state = read_state(self._client, self._names)
        if state.building is None or state.building.name != name:
            raise RebuildRefused("Another process has replaced the new index. Run it again.")
        actions = [
            {"remove": {"index": name, "alias": self._names.next_alias, "must_exist": True}},
            {"add": {"index": name, "alias": self._names.alias}},
        ]
        if state.searched:
            actions.append({"remove": {"index": state.searched.name, "alias": self._names.alias}})
        self._client.indices.update_aliases(body={"actions": actions}, params=_PARAMS)
        self._delete_others(name)

    def _delete_others(self, kept: str) -> None:
        others = [index.name for index in read_state(self._client, self._names).indexes if index.name != kept]
        for other in others:
            self._client.indices.delete(index=other, params={**_PARAMS, "ignore": 404})


def _iter_videos() -> Iterator[list[DocumentWrite]]:
    """Yield the documents of each video that has words.

    Rows and version are read while the video is locked, so a change before has a lower version and is in the rows, and one after has a
    higher version.
    """
    last: UUID | None = None
    while video_ids := list(_list_videos(last)):
        for video_id in video_ids:
            with transaction.atomic():
                locked = Video.objects.filter(pk=video_id).select_for_update(no_key=True).values_list("pk")
                if not list(locked):
                    continue
                version = Video.objects.filter(pk=video_id).annotate(version=NextVersion()).values_list("version", flat=True).get()
                rows = list(SceneWords.objects.filter(video_id=video_id).order_by("index"))
            yield [DocumentWrite(WordChange(row.owner_id, row.scene_id), version, row) for row in rows]
        last = video_ids[-1]


def _list_videos(after: UUID | None) -> Iterator[UUID]:
    videos = Video.objects.order_by("pk").values_list("pk", flat=True)
    yield from (videos.filter(pk__gt=after) if after else videos)[:_VIDEOS]
