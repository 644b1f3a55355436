"""Documents of the search index in OpenSearch that are missing, outdated or orphaned, and changes that it has refused for good."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from heimdex.errors import SearchServerUnavailable
from reprocess.reconcile.base import Check, Finding, IssueType
from videos.models import SearchChange
from videos.search.lexical.search_index import find_search_index

if TYPE_CHECKING:
    from videos.search.lexical.opensearch.backend import OpenSearchLexical
    from videos.search.lexical.opensearch.verify import Difference

_MANUAL_FIX = "Run manage.py search_index rebuild. If it does not help, report it."
MISSING = IssueType("missing_documents", "scenes with words have no document in the search index", "has them sent", _MANUAL_FIX)
OUTDATED = IssueType("outdated_documents", "documents of the search index have older words", "has them sent again", _MANUAL_FIX)
ORPHANED = IssueType("orphaned_documents", "documents of the search index belong to no scene", "has them deleted", _MANUAL_FIX)
REFUSED = IssueType(
    "refused_documents",
    "changes were refused by OpenSearch again and again, and given up",
    "has them tried again",
    "Look at their errors in the admin (search changes) and at OpenSearch's log.",
)
UNCHECKED = IssueType(
    "unchecked_search_index",
    "search index could not be compared with the database",
    "",
    "Correct what the example says, and run it again. Until then, words are searched in the database.",
)
INCOMPLETE = "OpenSearch did not return all documents, so those of no scene were not looked for"
_TYPES = {"missing": MISSING, "outdated": OUTDATED, "orphaned": ORPHANED}


class SearchIndex(Check):
    """Compare the index with the database, one hash per scene; without such an index there is nothing to check.

    A server that is away is an issue, because then nothing is known about its documents. So is one that does not return all of them; what
    seems to be orphaned is left alone then.
    """

    order = 47
    issue_types = (MISSING, OUTDATED, ORPHANED, REFUSED, UNCHECKED)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        backend = find_search_index()
        if backend is None:
            return
        refused = _select_refused(owner_id)
        given_up = set(refused.values_list("scene_id", flat=True))
        if change := refused.first():
            yield Finding(REFUSED, len(given_up), f"scene {change.scene_id}: {change.error}", partial(_try_again, owner_id))
        try:
            verification = backend.verifier.verify(owner_id)
        except SearchServerUnavailable as error:
            yield Finding(UNCHECKED, 1, str(error))
            return
        if not verification.is_complete:
            yield Finding(UNCHECKED, 1, INCOMPLETE)
        for name, issue_type in _TYPES.items():
            differences = [
                difference
                for difference in verification.differences
                if difference.kind.value == name and difference.key.scene_id not in given_up
            ]
            if differences:
                example = f"scene {differences[0].key.scene_id}"
                yield Finding(issue_type, len(differences), example, partial(_send_again, backend, differences))


def _select_refused(owner_id: UUID | None) -> QuerySet[SearchChange]:
    changes = SearchChange.objects.filter(is_dead=True)
    return changes.filter(owner_id=owner_id) if owner_id else changes


def _try_again(owner_id: UUID | None) -> int:
    refused = _select_refused(owner_id)
    scenes = refused.values("scene_id").distinct().count()
    refused.update(is_dead=False, attempts=0, tries_at=timezone.now())
    return scenes


def _send_again(backend: "OpenSearchLexical", differences: "Sequence[Difference]") -> int:
    """Have documents written or deleted by the outbox, by what the database holds then."""
    return backend.verifier.repair(differences)


CHECK = SearchIndex()
