"""Lexical search with OpenSearch, and with PostgreSQL while OpenSearch is away."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import structlog
from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError

from videos.search.lexical.base import LexicalAnswer, LexicalQuery, WordChange
from videos.search.lexical.opensearch.candidates import OpenSearchCandidates
from videos.search.lexical.opensearch.circuit import Circuit
from videos.search.lexical.opensearch.connection import SearchConnection, SearchServerAway
from videos.search.lexical.opensearch.drain import Drain
from videos.search.lexical.opensearch.index_schema import IndexNames
from videos.search.lexical.opensearch.index_state import IndexState, KnownState, read_state
from videos.search.lexical.opensearch.outbox import list_pending, record
from videos.search.lexical.opensearch.rebuild import Rebuild
from videos.search.lexical.opensearch.verify import Verifier
from videos.search.lexical.postgres import PostgresLexical
from videos.search.lexical.ranking import search_words

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

    @cached_property
    def client(self) -> OpenSearch:
        """The client, which connects with the first request."""
        return self.connection.open()

    @cached_property
    def drain(self) -> Drain:
        """What sends the outbox."""
        return Drain(self.connection, self.client, self.names)

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
            self._known_state.get().require_searched()
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

    def _fall_back(self, query: LexicalQuery) -> LexicalAnswer:
        return replace(super().search(query), notices=(FALLBACK,))
