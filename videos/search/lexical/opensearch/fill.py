"""Write the documents that the index lacks, some scenes at a time, as runs do: they can stop and continue at every batch."""

from collections.abc import Callable, Sequence
from time import sleep
from uuid import UUID

from opensearchpy import OpenSearch

from heimdex.database.session_lock import try_lock
from videos.models import SceneWords, SearchChange
from videos.search.lexical.opensearch.connection import SearchConnection, SearchServerAway
from videos.search.lexical.opensearch.drain import BATCH, Drain
from videos.search.lexical.opensearch.index_schema import IndexNames
from videos.search.lexical.opensearch.index_state import IndexState, read_state
from videos.search.lexical.opensearch.rebuild import Rebuild, RebuildRefused
from videos.search.lexical.scene_documents import select_unfindable

# How long to wait for another process that creates the index (seconds between tries), and for one that sends a document.
_WAITS_S = (0.2, 0.5, 1.0, 2.0)
_POLL_S = 0.2
BUSY = "Another process replaces the search index at the moment."


class Fill:
    """Writes missing documents to the index that is being built, or to the one that is searched.

    Unlike a rebuild, which writes everything at once, it goes on where it stopped, and leaves the switch to `switch_if_complete`.
    """

    def __init__(self, connection: SearchConnection, client: OpenSearch, names: IndexNames, drain: Drain) -> None:
        self._connection = connection
        self._client = client
        self._names = names
        self._drain = drain
        self._rebuild = Rebuild(connection, client, names)

    def ensure_index(self) -> str:
        """Return the name of the index to fill. Create one if there is none of this code's versions. Raise SearchServerAway."""
        for wait_s in (*_WAITS_S, None):
            if target := self._read_state().target:
                return target.name
            with try_lock(self._names.alias) as has_lock:
                if has_lock:
                    return self._create()
            if wait_s is not None:
                sleep(wait_s)
        raise SearchServerAway(BUSY)

    def send(self, scene_ids: Sequence[UUID], on_batch: Callable[[int], None]) -> None:
        """Send the waiting changes of some scenes, and wait for those that another process sends. What is refused is left to later tries.

        `on_batch` gets the number of scenes of each batch. Raise SearchServerAway, which loses nothing.
        """
        for start in range(0, len(scene_ids), BATCH):
            batch = scene_ids[start : start + BATCH]
            untried = SearchChange.objects.filter(scene_id__in=batch, is_dead=False, attempts=0)
            # Changes that are made from now on are left to those who send the outbox anyway.
            last = untried.order_by("pk").values_list("pk", flat=True).last() or 0
            self._drain.run(scene_ids=batch)
            while untried.filter(pk__lte=last).exists():
                on_batch(0)
                sleep(_POLL_S)
                self._drain.run(scene_ids=batch)
            on_batch(len(batch))

    def switch_if_complete(self) -> bool:
        """Let searches use the index that is being built if it has the documents of all scenes. Return whether they were switched.

        What the outbox holds is searched in the database, whether it waits or was refused for good, so it does not keep the switch.
        """
        if self._read_state().building is None:
            return False
        with try_lock(self._names.alias) as has_lock:
            target = self._read_state().target if has_lock else None
            # Without the lock, a rebuild is running, which switches by itself.
            if (
                target is None
                or self._names.next_alias not in target.aliases
                or select_unfindable(SceneWords.objects.all(), [target.name]).exists()
            ):
                return False
            try:
                with self._connection.explained():
                    self._rebuild.switch(target.name)
            except RebuildRefused:
                # A process that has lost its connection to the database, and with it the lock, was faster.
                return False
            return True

    def _create(self) -> str:
        state = self._read_state()
        state.refuse_newer()
        if state.target:
            return state.target.name
        with self._connection.explained():
            return self._rebuild.create()

    def _read_state(self) -> IndexState:
        with self._connection.explained():
            return read_state(self._client, self._names)
