"""The requests that steer a run, by the name that API, command and admin use."""

from collections.abc import Callable
from uuid import UUID

from reprocess.actions.cancel_run import cancel_run
from reprocess.actions.pause_run import pause_run
from reprocess.actions.resume_run import resume_run
from reprocess.actions.retry_failures import retry_failures
from reprocess.models import ReprocessRun

CONTROLS: dict[str, Callable[[UUID], object]] = {
    "pause": pause_run,
    "resume": resume_run,
    "cancel": cancel_run,
    "retry-failed": retry_failures,
}


def offered(run: ReprocessRun) -> list[str]:
    """Return the names of what can be done with a run in its state."""
    if run.state in ReprocessRun.OPEN:
        return ["pause", "cancel"]
    if run.state == ReprocessRun.State.PAUSED:
        return ["resume", "cancel"]
    return ["retry-failed"] if run.state in (ReprocessRun.State.PARTIAL, ReprocessRun.State.FAILED) else []
