"""What the search index lacks, by the rows that record its documents. Set-based, so that a plan of everything is a join."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from videos.models import SceneDocument, SceneWords, SearchChange


@dataclass(frozen=True)
class IndexView:
    """The index that documents are written to.

    `target` is its name, empty while there is none that this code can use: then every document is missing. `replaced` is the searched index
    of other versions that it is to replace, if any. With a `problem`, the server could not be asked, and `target` is what was written last.
    `is_searched` tells whether searches use the target.
    """

    target: str
    replaced: str = ""
    problem: str = ""
    is_searched: bool = False


@dataclass(frozen=True)
class DocumentCounts:
    """Scenes with words, and those of them without a current document, by cause. What waits in the outbox counts as sent."""

    scenes: int = 0
    missing: int = 0
    outdated: int = 0
    replaced: int = 0

    @property
    def stale(self) -> int:
        """The documents to write."""
        return self.missing + self.outdated + self.replaced


def count_documents(words: QuerySet[SceneWords], view: IndexView) -> DocumentCounts:
    """Count the documents of some scenes with one query."""
    return _build_counts(words.order_by().aggregate(**_build_aggregates(view)))


def count_documents_by_owner(words: QuerySet[SceneWords], view: IndexView) -> dict[UUID, DocumentCounts]:
    """Count the documents of some scenes by owner with one query. Memory grows with the number of owners."""
    rows = words.order_by().values("owner_id").annotate(**_build_aggregates(view))
    return {row["owner_id"]: _build_counts(row) for row in rows}


def select_unsent(words: QuerySet[SceneWords], target: str, since: datetime | None = None) -> QuerySet[SceneWords]:
    """Return the rows without a current document in an index, or without one written `since`, that are not on their way either."""
    current = Q(document__index=target, document__text_hash=F("text_hash"))
    if since:
        current &= Q(document__written_at__gte=since)
    return words.filter(~_is_waiting()).exclude(current)


def select_unfindable(words: QuerySet[SceneWords], indexes: Collection[str]) -> QuerySet[SceneWords]:
    """Return the rows without a current document in some indexes, except those in the outbox, which searches read from the database."""
    current = Q(document__index__in=indexes, document__text_hash=F("text_hash"))
    return words.filter(~Exists(SearchChange.objects.filter(scene_id=OuterRef("pk")))).exclude(current)


def find_last_written() -> str:
    """Return the name of the index that documents were last written to, or an empty string. Reads all rows."""
    return SceneDocument.objects.order_by("-written_at").values_list("index", flat=True).first() or ""


def _build_aggregates(view: IndexView) -> dict[str, Count]:
    if not view.target:
        nothing = Q(pk__in=[])
        sent, outdated, waiting = nothing, nothing, nothing
    else:
        waiting = Q(_is_waiting())
        sent = Q(document__index=view.target, document__text_hash=F("text_hash"))
        outdated = Q(document__index=view.target) & ~waiting
    replaced = Q(document__index=view.replaced) & ~waiting if view.replaced else Q(pk__in=[])
    return {
        "scenes": Count("pk"),
        "settled": Count("pk", filter=sent | waiting),
        # Those with the current texts are taken off below, because a comparison with what may be null must not be negated.
        "in_target": Count("pk", filter=outdated),
        "current": Count("pk", filter=outdated & sent),
        "in_replaced": Count("pk", filter=replaced),
    }


def _build_counts(row: Mapping[str, Any]) -> DocumentCounts:
    outdated = row["in_target"] - row["current"]
    missing = row["scenes"] - row["settled"] - outdated - row["in_replaced"]
    return DocumentCounts(row["scenes"], missing, outdated, row["in_replaced"])


def _is_waiting() -> Exists:
    # Not a list of ids: it may be long, for example after an outage.
    return Exists(SearchChange.objects.filter(scene_id=OuterRef("pk"), is_dead=False))
