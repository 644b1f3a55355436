"""Compare the documents of the index with the rows of the database, and have what differs sent again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from opensearchpy import OpenSearch

from videos.models import SceneWords, SearchChange
from videos.search.lexical.base import WordChange
from videos.search.lexical.opensearch.connection import SearchConnection
from videos.search.lexical.opensearch.documents import DocumentScan, StoredDocument, get_documents
from videos.search.lexical.opensearch.index_schema import IndexNames
from videos.search.lexical.opensearch.index_state import read_state
from videos.search.lexical.opensearch.outbox import enqueue, enqueue_deletions

_BATCH = 1000


class DifferenceKind(Enum):
    """How a document and the words of a scene differ."""

    MISSING = "missing"
    OUTDATED = "outdated"
    ORPHANED = "orphaned"


class Difference(NamedTuple):
    """A scene with its owner, in the database or in the index, whose document is not as it should be."""

    key: WordChange
    kind: DifferenceKind


@dataclass
class Verification:
    """How many rows and documents were compared, how many changes were on their way, and what differs otherwise.

    Without `is_complete`, OpenSearch did not return all documents: those that seem to be orphaned are not counted then.
    """

    rows: int = 0
    documents: int = 0
    pending: int = 0
    is_complete: bool = True
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything was compared, and nothing differs."""
        return self.is_complete and not self.differences


class Verifier:
    """Compares the index with the database, in bounded memory as long as little differs."""

    def __init__(self, connection: SearchConnection, client: OpenSearch, names: IndexNames) -> None:
        self._connection = connection
        self._client = client
        self._names = names

    def verify(self, owner_id: UUID | None = None) -> Verification:
        """Compare the scenes of all owners, or of one. Raise SearchServerAway when the server cannot be asked."""
        result = Verification()
        with self._connection.explained():
            read_state(self._client, self._names).require_searched()
            scan = DocumentScan(self._client, self._names.alias, owner_id)
            differences = iter(list(compare(_iter_rows(owner_id, result), _count(scan, result))))
            result.is_complete = scan.is_complete
            while batch := list(islice(differences, _BATCH)):
                self._add(result, batch)
        return result

    def repair(self, differences: Sequence[Difference]) -> int:
        """Have what differs sent again by the outbox. Return how many scenes."""
        orphaned = [difference.key for difference in differences if difference.kind is DifferenceKind.ORPHANED]
        enqueue([difference.key.scene_id for difference in differences if difference.kind is not DifferenceKind.ORPHANED])
        enqueue_deletions(orphaned)
        return len(differences)

    def _add(self, result: Verification, differences: Sequence[Difference]) -> None:
        """Look a second time at what differs, because rows and documents were read at different moments, and add what still does."""
        keys = list({difference.key for difference in differences})
        scene_ids = [key.scene_id for key in keys]
        pending = _list_pending(scene_ids)
        documents = get_documents(self._client, self._names.alias, keys)
        rows = {
            WordChange(owner_id, scene_id): text_hash
            for scene_id, owner_id, text_hash in SceneWords.objects.filter(pk__in=scene_ids).values_list("pk", "owner_id", "text_hash")
        }
        # What is sent while this reads is no difference either.
        pending |= _list_pending(scene_ids)
        result.pending += len(pending & set(keys))
        for key in keys:
            kind = judge(rows.get(key), documents.get(key))
            if kind and key not in pending and (kind is not DifferenceKind.ORPHANED or result.is_complete):
                result.differences.append(Difference(key, kind))


def compare(rows: Iterable[StoredDocument], documents: Iterable[StoredDocument]) -> Iterator[Difference]:
    """Yield what differs between rows and documents, both in the order of scenes and owners. Pure."""
    row_iterator, document_iterator = iter(rows), iter(documents)
    row, document = next(row_iterator, None), next(document_iterator, None)
    while row or document:
        if row is None or (document and document[:2] < row[:2]):
            assert document
            yield Difference(_get_key(document), DifferenceKind.ORPHANED)
            document = next(document_iterator, None)
        elif document is None or row[:2] < document[:2]:
            yield Difference(_get_key(row), DifferenceKind.MISSING)
            row = next(row_iterator, None)
        else:
            if row.text_hash != document.text_hash:
                yield Difference(_get_key(row), DifferenceKind.OUTDATED)
            row, document = next(row_iterator, None), next(document_iterator, None)


def judge(text_hash: str | None, document: StoredDocument | None) -> DifferenceKind | None:
    """Return how a document differs from a row with this hash (None: no row). Pure."""
    if text_hash is None:
        return DifferenceKind.ORPHANED if document else None
    if document is None:
        return DifferenceKind.MISSING
    return None if document.text_hash == text_hash else DifferenceKind.OUTDATED


def _list_pending(scene_ids: Sequence[UUID]) -> set[WordChange]:
    changes = SearchChange.objects.filter(scene_id__in=scene_ids, is_dead=False)
    return {WordChange(*row) for row in changes.values_list("owner_id", "scene_id")}


def _get_key(document: StoredDocument) -> WordChange:
    return WordChange(document.owner_id, document.scene_id)


def _iter_rows(owner_id: UUID | None, result: Verification) -> Iterator[StoredDocument]:
    rows = SceneWords.objects.filter(owner_id=owner_id) if owner_id else SceneWords.objects.all()
    for row in rows.order_by("pk").values_list("pk", "owner_id", "text_hash").iterator(chunk_size=5 * _BATCH):
        result.rows += 1
        yield StoredDocument(*row)


def _count(scan: DocumentScan, result: Verification) -> Iterator[StoredDocument]:
    for document in scan:
        result.documents += 1
        yield document
