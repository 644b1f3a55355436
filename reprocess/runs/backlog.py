"""The items of runs that wait for a worker."""

from heimdex.backlog import WorkCount, count_work
from reprocess.models import ReprocessItem, ReprocessRun


def count_items_of_runs() -> WorkCount:
    """Count the open items of open runs. Those of paused runs wait for an operator, not for a worker."""
    items = ReprocessItem.objects.filter(state__in=ReprocessItem.OPEN, run__state__in=ReprocessRun.OPEN)
    return count_work(items, ReprocessItem.objects.all(), "pk", "run__created_at")
