"""Retry a run's failures, and nothing else of it."""

from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from reprocess.actions.errors import WrongState
from reprocess.actions.start_run import wake
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.subjects import PEOPLE, PHOTOS, SCENES
from videos.models import EmbeddingRow


def retry_failures(run_id: UUID) -> int:
    """Open the failed items of an ended run anew; only what failed in them is computed again. Return how many items.

    WrongState when the run has not ended, or nothing failed.
    """
    with transaction.atomic():
        run = ReprocessRun.objects.select_for_update().get(pk=run_id)
        if run.state in ReprocessRun.UNFINISHED:
            raise WrongState("The run has not ended yet; its failures can be retried then.")
        failed = list(run.items.select_for_update().filter(state=ReprocessItem.State.FAILED))
        if not failed:
            raise WrongState("Nothing failed in this run.")
        for item in failed:
            for channel, counts in item.counts.items():
                run.counters.filter(channel=channel).update(**{name: F(name) - number for name, number in counts.items()})
        videos = [item.video_id for item in failed if item.video_id]
        owners = [item.owner_id for item in failed if not item.video_id]
        # Without the run's mark these rows count as not tried by it.
        tried = {"run_id": run.pk, "state": EmbeddingRow.State.FAILED}
        SCENES.rows_of(scene__video_id__in=videos, **tried).update(run_id=None)
        for kind in (PHOTOS, PEOPLE):
            kind.rows_of(owner__in=owners, **tried).update(run_id=None)
        run.failures.filter(Q(video_id__in=videos) | Q(video__isnull=True, owner__in=owners)).delete()
        run.items.filter(pk__in=[item.pk for item in failed]).update(
            state=ReprocessItem.State.QUEUED, attempts=0, counts={}, error="", finished_at=None
        )
        ReprocessRun.objects.filter(pk=run.pk).update(state=ReprocessRun.State.QUEUED, error="", finished_at=None)
        wake(run.pk)
    return len(failed)
