"""What owners search for: recorded, kept for a while or for as long as they are saved, and erased when the owner says so."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from videos.models import RecordedQuery

KEPT_FOR = timedelta(days=30)
# Of one owner, saved ones aside; a script that searches all day must not fill the database.
MOST_KEPT = 1000
_LONGEST = 1000


def record_query(owner_id: UUID, text: str) -> None:
    """Record that an owner searched for a text; the same text again is the same row."""
    text = " ".join(text.split())
    if 0 < len(text) <= _LONGEST:
        RecordedQuery.objects.bulk_create(
            [RecordedQuery(owner_id=owner_id, text=text)],
            update_conflicts=True,
            unique_fields=["owner", "text"],
            update_fields=["asked_at"],
        )


def telling_queries(owner_id: UUID, most: int) -> list[RecordedQuery]:
    """Return what the owner wants to find: saved queries first, then recent ones, newest first."""
    recent = Q(asked_at__gte=timezone.now() - KEPT_FOR)
    return list(RecordedQuery.objects.filter(Q(saved=True) | recent, owner_id=owner_id).order_by("-saved", "-asked_at")[:most])


def forget_old_queries() -> int:
    """Delete what is older than KEPT_FOR or beyond MOST_KEPT of its owner, unless it is saved; return how many."""
    passing = RecordedQuery.objects.filter(saved=False)
    place = Window(RowNumber(), partition_by=[F("owner_id")], order_by=[F("asked_at").desc(), F("id").desc()])
    beyond: QuerySet[RecordedQuery] = passing.annotate(place=place).filter(place__gt=MOST_KEPT)
    return passing.filter(Q(asked_at__lt=timezone.now() - KEPT_FOR) | Q(pk__in=beyond.values("pk"))).delete()[0]
