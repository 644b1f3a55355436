"""Record owners' queries, select queries for evaluation, and delete old ones."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from videos.models import RecordedQuery, SearchPreferences
from videos.search.query_language import NoNames, QuerySyntaxError, normalize_query, parse_query

RETENTION = timedelta(days=30)
# Per owner, not counting saved queries, so that a script that searches all day does not fill the database.
MAX_QUERIES = 1000
_MAX_LENGTH = 1000
# The index of texts holds no more (1,000 Chinese characters have 3,000 bytes), and the previous release needs the index.
_MAX_BYTES = 2600


def record_query(owner_id: UUID, text: str) -> None:
    """Record a query, unless it is very long or its owner keeps no history. The same text again updates its row."""
    text = normalize_query(text)
    if not 0 < len(text) <= _MAX_LENGTH or len(text.encode()) > _MAX_BYTES:
        return
    if not SearchPreferences.objects.filter(owner=owner_id, records_queries=False).exists():
        RecordedQuery.objects.bulk_create(
            [RecordedQuery(owner_id=owner_id, text=text)],
            update_conflicts=True,
            unique_fields=["owner", "text"],
            update_fields=["asked_at"],
        )


def list_evaluation_queries(owner_id: UUID, limit: int) -> list[RecordedQuery]:
    """Return at most `limit` queries that are typical of the owner: saved ones first, then recent ones, newest first."""
    recent = Q(asked_at__gte=timezone.now() - RETENTION)
    return list(RecordedQuery.objects.filter(Q(saved=True) | recent, owner_id=owner_id).order_by("-saved", "-asked_at")[:limit])


def delete_old_queries() -> int:
    """Delete queries that are older than RETENTION or exceed MAX_QUERIES of their owner, unless they are saved. Return the number."""
    unsaved = RecordedQuery.objects.filter(saved=False)
    position = Window(RowNumber(), partition_by=[F("owner_id")], order_by=[F("asked_at").desc(), F("id").desc()])
    excess: QuerySet[RecordedQuery] = unsaved.annotate(position=position).filter(position__gt=MAX_QUERIES)
    return unsaved.filter(Q(asked_at__lt=timezone.now() - RETENTION) | Q(pk__in=excess.values("pk"))).delete()[0]


def extract_words(text: str) -> str:
    """Return the words of a recorded query, without its filters and exclusions. Names of people were not recorded."""
    try:
        query = parse_query(text, NoNames)
    except QuerySyntaxError:
        # It was recorded when the query language was another one.
        return text
    following = query.next_query.text if query.next_query else ""
    return f"{query.text} {following}".strip()
