"""What workers run for reprocessing: each takes ids and makes one call."""

from uuid import UUID

from reprocess.rescue import rescue
from reprocess.worker import work


def work_run(run_id: str) -> None:
    """Work on a run until nothing of it is left."""
    work(UUID(run_id))


def rescue_runs() -> int:
    """Find runs that nobody works on and have them taken up again; return how many."""
    return rescue()
