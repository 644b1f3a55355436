"""Wake workers for runs that have none, report this process's spec, and cancel the open items of ended runs."""

from datetime import timedelta
from itertools import groupby

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from heimdex.leases import RELEASED, WAKE_AGAIN_AFTER, is_unleased, wake_stuck
from heimdex.queue import REPROCESS, count_tasks
from heimdex.redis_broker import QueueUnavailable
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.runs.counters import count_items
from reprocess.runs.held_specs import explain_waiting_runs, report_spec, select_runs_for
from reprocess.runs.outages import resume_after_outages
from reprocess.runs.state import enqueue_run


def rescue_runs() -> int:
    """Enqueue every run of this process's spec whose leases have expired or whose task was lost. Return how many runs."""
    spec = report_spec()
    explain_waiting_runs()
    cancel_lost_items(ReprocessItem.objects.exclude(run__state__in=ReprocessRun.UNFINISHED))
    runs = select_runs_for(spec)
    items = ReprocessItem.objects.filter(run__state__in=ReprocessRun.OPEN)
    resumed = resume_after_outages()
    delay = _choose_rescue_delay()
    return resumed + wake_stuck(runs, items, "run", lambda run: enqueue_run(run.pk), timezone.now(), wake_again_after=delay)


def cancel_lost_items(items: QuerySet[ReprocessItem]) -> int:
    """Count and cancel the items of ended runs whose workers died before they released them. Return how many items."""
    lost = items.filter(is_unleased(), state__in=ReprocessItem.OPEN).select_related("run__spec").order_by("run_id", "pk")
    with transaction.atomic():
        locked = list(lost.select_for_update(skip_locked=True, of=("self",)))
        for run, run_items in groupby(locked, key=lambda item: item.run):
            count_items(run, list(run_items), untried=None)
        return ReprocessItem.objects.filter(pk__in=[item.pk for item in locked]).update(
            state=ReprocessItem.State.CANCELLED, finished_at=timezone.now(), **RELEASED
        )


def _choose_rescue_delay() -> timedelta:
    """Return how long a run without a lease waits for its task before it is enqueued again.

    This is short, because a worker that dies between two leases leaves no other trace. While tasks are waiting, the run's own may be
    among them, so it is longer: further tasks would only pile up.
    """
    try:
        waiting = count_tasks(REPROCESS).waiting
    except QueueUnavailable:
        return WAKE_AGAIN_AFTER
    return WAKE_AGAIN_AFTER if waiting else timedelta(seconds=settings.LEASE_SECONDS)
