"""Progress of a run: percent, rate and time left."""

from dataclasses import dataclass

from django.utils import timezone

from reprocess.models import ReprocessRun
from reprocess.planning.estimates import remaining_time


@dataclass(frozen=True)
class RunProgress:
    """Percent (0 to 100), vectors per second so far, and seconds left; None where they are unknown."""

    percent: int
    rate: float | None
    eta_s: float | None


def measure_progress(run: ReprocessRun) -> RunProgress:
    """Measure a run by the inputs that its models have computed and by the scenes of finished videos. An ended run is at 100.

    Inputs are counted with every batch, but do not include fresh scenes. Scenes are counted when their video is finished.
    """
    counters = run.counters.all()
    inputs = sum(use.inputs for use in run.uses.all())
    done = max(inputs, sum(counter.done for counter in counters))
    finished = sum(counter.done + counter.skipped + counter.empty + counter.failed for counter in counters)
    share = max(
        _share_of(inputs, sum(channel["inputs"] for channel in run.plan["channels"])),
        _share_of(finished, sum(counter.planned for counter in counters)),
    )
    until = run.finished_at or timezone.now()
    elapsed = (until - run.started_at).total_seconds() if run.started_at else 0.0
    rate = done / elapsed if elapsed > 0 and done else None
    if run.state not in ReprocessRun.UNFINISHED:
        return RunProgress(100, rate, None)
    return RunProgress(min(99, int(100 * share)), rate, remaining_time(share, elapsed))


def _share_of(done: int, planned: int) -> float:
    return min(1.0, done / planned) if planned else 0.0
