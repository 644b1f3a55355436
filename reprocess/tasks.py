"""What workers run for reprocessing: each takes ids and makes one call."""

from uuid import UUID

from heimdex.queue import enqueue
from reprocess import people_renewal
from reprocess.rescue import rescue
from reprocess.worker import work
from videos.search.indexes import build_missing, unindexed


def work_run(run_id: str) -> None:
    """Work on a run until nothing of it is left."""
    work(UUID(run_id))


def renew_people(owner_id: str) -> None:
    """Look at an owner's new photos, and renew what depends on them."""
    people_renewal.renew_people(UUID(owner_id))


def wake_forgotten_people() -> int:
    """Find people whose photos changed without anybody renewing what depends on them; return of how many owners."""
    return people_renewal.wake_forgotten()


def rescue_runs() -> int:
    """Find runs that nobody works on and have them taken up again; return how many."""
    return rescue()


def index_spaces() -> int:
    """Build the index of every space that is searched and has become large; return how many."""
    return build_missing()


def find_large_spaces() -> int:
    """Have spaces indexed that have become large by uploads; return how many."""
    found = len(unindexed())
    if found:
        enqueue("reprocess.tasks.index_spaces")
    return found
