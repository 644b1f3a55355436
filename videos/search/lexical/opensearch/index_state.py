"""Read which index is searched, which one is being built, and whether this code can use them."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from opensearchpy import OpenSearch

from heimdex.text_analysis import ANALYSIS_VERSION
from videos.search.lexical.opensearch.connection import IndexMissing, SearchConnection, SearchServerAway
from videos.search.lexical.opensearch.index_schema import MAPPING_VERSION, IndexNames

# Searches look again after this time, because another process may have replaced the index (seconds).
_KEEP_S = 5.0


@dataclass(frozen=True)
class IndexIdentity:
    """What decides the documents of an index: the versions of its mapping and of the analysis of words."""

    mapping_version: int
    analysis_version: int


@dataclass(frozen=True)
class BuiltIndex:
    """An index of an installation, the alias that leads to it, if any, and its identity."""

    name: str
    aliases: frozenset[str]
    identity: IndexIdentity
    is_read_only: bool = False


@dataclass(frozen=True)
class IndexState:
    """All indexes of an installation."""

    names: IndexNames
    indexes: tuple[BuiltIndex, ...]

    @property
    def searched(self) -> BuiltIndex | None:
        """The index that searches use."""
        return self._get(self.names.alias)

    @property
    def building(self) -> BuiltIndex | None:
        """The index that is being built."""
        return self._get(self.names.next_alias)

    @property
    def target(self) -> BuiltIndex | None:
        """The index that documents are written to, and that is or will be searched. None without one of this code's versions."""
        index = self.building or self.searched
        return index if index and index.identity == IndexIdentity(MAPPING_VERSION, ANALYSIS_VERSION) else None

    def require_searched(self) -> BuiltIndex:
        """Return the index that searches use. Raise SearchServerAway when there is none, or one of another mapping."""
        if (index := self.searched) is None:
            raise IndexMissing("OpenSearch has no search index: run manage.py search_index rebuild.")
        self.refuse_newer()
        if index.identity.mapping_version < MAPPING_VERSION:
            raise SearchServerAway("An older release of Heimdex wrote the search index: run manage.py search_index rebuild.")
        return index

    def refuse_newer(self) -> None:
        """Raise SearchServerAway when a newer release has replaced the index."""
        if self.searched and self.searched.identity.mapping_version > MAPPING_VERSION:
            raise SearchServerAway("A newer release of Heimdex wrote the search index: restart this process with that release.")

    def list_written(self) -> list[str]:
        """Return the aliases of the indexes that changes are sent to. Raise SearchServerAway when there is none for this code."""
        if self.building and self.building.identity.mapping_version == MAPPING_VERSION:
            searched = self.searched and self.searched.identity.mapping_version == MAPPING_VERSION
            return [self.names.alias, self.names.next_alias] if searched else [self.names.next_alias]
        self.require_searched()
        return [self.names.alias]

    def _get(self, alias: str) -> BuiltIndex | None:
        return next((index for index in self.indexes if alias in index.aliases), None)


def read_state(client: OpenSearch, names: IndexNames) -> IndexState:
    """Read the indexes of an installation from the server."""
    answer = client.indices.get(index=names.pattern, params={"expand_wildcards": "open", "flat_settings": "true"})
    return IndexState(names, tuple(_read_index(name, index) for name, index in sorted(answer.items())))


def _read_index(name: str, index: Mapping[str, Any]) -> BuiltIndex:
    meta, settings = index["mappings"].get("_meta", {}), index["settings"]
    blocks = (settings.get(f"index.blocks.{kind}") for kind in ("read_only", "read_only_allow_delete", "write"))
    return BuiltIndex(
        name,
        frozenset(index["aliases"]),
        IndexIdentity(int(meta.get("mapping_version", 0)), int(meta.get("analysis_version", 0))),
        any(str(block).lower() == "true" for block in blocks),
    )


class KnownState:
    """The state as searches see it: read again after a while, and after `forget`. Threads share it."""

    def __init__(self, connection: SearchConnection, client: OpenSearch, names: IndexNames) -> None:
        self._connection = connection
        self._client = client
        self._names = names
        self._known: tuple[float, IndexState] | None = None

    def get(self) -> IndexState:
        """Return the state. Raise SearchServerAway when the server cannot be asked."""
        known = self._known
        if known is None or monotonic() - known[0] > _KEEP_S:
            with self._connection.explained():
                known = self._known = (monotonic(), read_state(self._client, self._names))
        return known[1]

    def forget(self) -> None:
        """Read it again at the next call."""
        self._known = None
