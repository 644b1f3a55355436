"""How far a run is."""

from reprocess.models import ReprocessItem, ReprocessRun


def run_progress(run: ReprocessRun) -> int:
    """Return the share of the run's videos that are finished, 0 to 100; a run that has ended is at 100."""
    if run.state not in ReprocessRun.OPEN:
        return 100
    finished = run.items.exclude(state__in=ReprocessItem.OPEN).count()
    return min(99, 100 * finished // run.video_count) if run.video_count else 0
