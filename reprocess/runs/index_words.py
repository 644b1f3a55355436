"""Write the documents of a group's scenes to the search index, through its outbox: searches read from the database what is on its way."""

from collections.abc import Callable, Sequence
from time import monotonic
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from reprocess.models import ReprocessFailure, ReprocessRun
from reprocess.planning.search_index import SEARCH_INDEX
from reprocess.runs.engine import WorkLease
from videos.models import SceneWords, SearchChange
from videos.search.lexical.scene_documents import select_unsent
from videos.search.lexical.search_index import enqueue, find_search_index


def index_words(run: ReprocessRun, video_ids: Sequence[UUID], lease: WorkLease) -> None:
    """Write the documents of some videos that the index lacks. Those that are current are left alone, so a repeated call is safe.

    Do nothing without an index. Raise SearchServerUnavailable when its server takes nothing; what was enqueued is sent later.
    """
    index = find_search_index()
    if index is None or not video_ids:
        return
    target = index.fill.ensure_index()
    words = SceneWords.objects.filter(video_id__in=video_ids)
    unsent = select_unsent(words, target, run.created_at if run.force else None)
    enqueue(list(unsent.order_by("video_id", "index").values_list("pk", flat=True)))
    waiting = Exists(SearchChange.objects.filter(scene_id=OuterRef("pk"), is_dead=False))
    scene_ids = list(words.filter(waiting).order_by("video_id", "index").values_list("pk", flat=True))
    if not scene_ids:
        return
    index.fill.send(scene_ids, _record_progress(run, lease))
    with lease.transaction():
        _replace_failures(run, video_ids, words)


def switch_index() -> None:
    """Let searches use a new search index once it has everything. Its results are those of the old one, so no operator needs to decide."""
    if index := find_search_index():
        index.fill.switch_if_complete()


def _record_progress(run: ReprocessRun, lease: WorkLease) -> Callable[[int], None]:
    since = monotonic()

    def on_batch(scenes: int) -> None:
        nonlocal since
        if scenes:
            now = monotonic()
            run.uses.filter(step=SEARCH_INDEX).update(inputs=F("inputs") + scenes, seconds=F("seconds") + now - since)
            since = now
        lease.report_progress(1.0)

    return on_batch


def _replace_failures(run: ReprocessRun, video_ids: Sequence[UUID], words: QuerySet[SceneWords]) -> None:
    """Record each document that OpenSearch has refused, once."""
    reasons = dict(
        SearchChange.objects.exclude(error="").order_by("pk").values_list("scene_id", "error").filter(scene_id__in=words.values("pk"))
    )
    refused = words.filter(pk__in=reasons).exclude(Q(document__text_hash=F("text_hash"), document__written_at__gte=run.created_at))
    run.failures.filter(step=SEARCH_INDEX, video_id__in=video_ids).delete()
    ReprocessFailure.objects.bulk_create(
        ReprocessFailure(
            run=run,
            owner_id=row.owner_id,
            video_id=row.video_id,
            scene_id=row.pk,
            step=SEARCH_INDEX,
            channel=SEARCH_INDEX,
            error=reasons[row.pk],
        )
        for row in refused.only("owner_id", "video_id")
    )
