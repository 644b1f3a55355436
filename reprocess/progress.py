"""How far a run is, how fast, and how long it will take."""

from dataclasses import dataclass

from django.utils import timezone

from reprocess.estimates import remaining_time
from reprocess.models import ReprocessRun


@dataclass(frozen=True)
class RunProgress:
    """Percent (0 to 100), vectors per second so far, and the seconds that are left, where they can be told."""

    percent: int
    rate: float | None
    eta_s: float | None


def run_progress(run: ReprocessRun) -> RunProgress:
    """Measure a run by its counters; one that has ended is at 100."""
    counters = run.counters.all()
    planned = sum(counter.planned for counter in counters)
    done = sum(counter.done for counter in counters)
    finished = sum(counter.done + counter.skipped + counter.empty + counter.failed for counter in counters)
    until = run.finished_at or timezone.now()
    elapsed = (until - run.started_at).total_seconds() if run.started_at else 0.0
    rate = done / elapsed if elapsed > 0 and done else None
    if run.state not in ReprocessRun.UNFINISHED:
        return RunProgress(100, rate, None)
    percent = min(99, 100 * finished // planned) if planned else 0
    return RunProgress(percent, rate, remaining_time(finished, planned, elapsed))
