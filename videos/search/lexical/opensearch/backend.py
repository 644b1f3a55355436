"""Lexical search with OpenSearch, and with PostgreSQL while OpenSearch is away."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from uuid import UUID

import structlog
from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError

from videos.models import SceneWords
from videos.search.lexical.base import LexicalAnswer, LexicalQuery, WordChange
from videos.search.lexical.opensearch.candidates import OpenSearchCandidates
from videos.search.lexical.opensearch.circuit import Circuit
from videos.search.lexical.opensearch.connection import READ_ONLY, SearchConnection, SearchServerAway
from videos.search.lexical.opensearch.drain import Drain
from videos.search.lexical.opensearch.fill import Fill
from videos.search.lexical.opensearch.index_schema import IndexNames
from videos.search.lexical.opensearch.index_state import IndexState, KnownState, read_state
from videos.search.lexical.opensearch.outbox import list_pending, record
from videos.search.lexical.opensearch.rebuild import Rebuild
from videos.search.lexical.opensearch.verify import Verifier
from videos.search.lexical.postgres import PostgresLexical
from videos.search.lexical.ranking import search_words
from videos.search.lexical.scene_documents import select_unfindable

log = structlog.get_logger(__name__)

# Beyond so many changes that OpenSearch has not received, a search in the database is faster.
MAX_PENDING = 2000
_COMPLETE = "The answer is complete, but may have taken longer."
FALLBACK = f"Words were searched in the database, because the search server is away. {_COMPLETE}"
TOO_MANY_PENDING = f"Words were searched in the database, because the search server has not received all changes yet. {_COMPLETE}"


class OpenSearchLexical(PostgresLexical):
    """Finds candidates in OpenSearch, and checks and ranks them as PostgreSQL's backend does.

    The rows of words are written as there. Each change of them is noted in the same transaction, and sent to the index later.
    """

    has_outbox = True

    def __init__(
        self,
        url: str,
        user: str = "",
        password: str = "",
        ca: str = "",
        aws_region: str = "",
        aws_service: str = "es",
        index: str = "heimdex",
    ) -> None:
        """Take the settings of the server. Index names begin with `index`."""
        self.connection = SearchConnection(url, user, password, ca, aws_region, aws_service)
        self.names = IndexNames(index)
        self._circuit = Circuit()
        self._sending = Circuit()
        self._complete: set[tuple[UUID, str]] = set()

    @cached_property
    def client(self) -> OpenSearch:
        """The client, which connects with the first request."""
        return self.connection.open()

    @cached_property
    def drain(self) -> Drain:
        """What sends the outbox."""
        return Drain(self.connection, self.client, self.names)

    @property
    def fill(self) -> Fill:
        """What writes missing documents, some scenes at a time."""
        return Fill(self.connection, self.client, self.names, self.drain)

    @property
    def rebuild(self) -> Rebuild:
        """What builds a new index."""
        return Rebuild(self.connection, self.client, self.names)

    @property
    def verifier(self) -> Verifier:
        """What compares the index with the database."""
        return Verifier(self.connection, self.client, self.names)

    def read_state(self) -> IndexState:
        """Return the indexes of this installation. Raise SearchServerAway when the server cannot be asked."""
        with self.connection.explained():
            return read_state(self.client, self.names)

    def find_obstacle(self) -> str:
        """Return the reason why no document can be written now, or an empty string. An index that is missing is none: a run creates it."""
        try:
            state = self.read_state()
            state.refuse_newer()
        except SearchServerAway as error:
            return str(error)
        return READ_ONLY if any(index.is_read_only for index in state.indexes if index.aliases) else ""

    def send_changes(self, max_s: float) -> None:
        """Send the outbox for a while, ever more rarely while OpenSearch is away. Raise SearchServerAway when that begins."""
        if not self._sending.admit():
            return
        try:
            self.drain.run(max_s)
        except (SearchServerAway, TransportError):
            if self._sending.record_failure():
                raise
        else:
            if self._sending.record_success():
                log.warning("OpenSearch takes changes again")

    def record_changes(self, changes: Sequence[WordChange]) -> None:
        """Add changes to the outbox, in the current transaction."""
        record(changes)

    def search(self, query: LexicalQuery) -> LexicalAnswer:
        """Return the best scenes per channel. While OpenSearch is away, PostgreSQL finds them, and a notice says so."""
        pending = list_pending(query.owner_id, MAX_PENDING)
        if pending is None:
            return replace(super().search(query), notices=(TOO_MANY_PENDING,))
        if not self._circuit.admit():
            return self._fall_back(query)
        try:
            if not self._has_documents(query.owner_id, self._known_state.get()):
                return replace(super().search(query), notices=(TOO_MANY_PENDING,))
            answer = search_words(query, OpenSearchCandidates(self.connection, self.client, self.names, query, pending))
        except (SearchServerAway, TransportError) as error:
            self._known_state.forget()
            if self._circuit.record_failure():
                log.warning("Words are searched in the database until OpenSearch answers again", reason=str(error))
            return self._fall_back(query)
        if self._circuit.record_success():
            log.warning("OpenSearch answers again")
        return answer

    def health(self) -> str:
        """Return the reason why OpenSearch or the database cannot answer, or an empty string."""
        try:
            self.read_state().require_searched()
        except SearchServerAway as error:
            return str(error)
        return super().health()

    def check(self) -> list[str]:
        """Return a sentence for each wrong setting."""
        return self.connection.check()

    @cached_property
    def _known_state(self) -> KnownState:
        return KnownState(self.connection, self.client, self.names)

    def _has_documents(self, owner_id: UUID, state: IndexState) -> bool:
        """Return whether searches find all words of an owner in the index. Raise SearchServerAway when it cannot be used.

        That can change only while words are searched in PostgreSQL, so this process asks once for each owner and index.
        """
        searched = state.require_searched()
        if (owner_id, searched.name) not in self._complete:
            # While another index is built, what is recorded may be its documents.
            indexes = [index.name for index in (searched, state.building) if index]
            if select_unfindable(SceneWords.objects.filter(owner_id=owner_id), indexes).exists():
                return False
            self._complete.add((owner_id, searched.name))
        return True

    def _fall_back(self, query: LexicalQuery) -> LexicalAnswer:
        return replace(super().search(query), notices=(FALLBACK,))
