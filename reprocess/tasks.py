"""The tasks that workers run for reprocessing. Each takes ids and makes one call."""

from uuid import UUID

import structlog

from heimdex.accounts.models import User
from heimdex.errors import Refused
from heimdex.queue import enqueue
from reprocess.actions import transfers
from reprocess.models import ReprocessRun
from reprocess.runs import refresh_people as people_refresh
from reprocess.runs import rescue
from reprocess.runs.worker import run_worker
from videos.search.packing import find_unpacked_spaces, pack_large_spaces

log = structlog.get_logger(__name__)


def work_run(run_id: str) -> None:
    """Work on a run until none of its items can be acquired."""
    run_worker(UUID(run_id))


def refresh_people(owner_id: str) -> None:
    """Process an owner's new photos, and refresh what depends on them."""
    people_refresh.refresh_people(UUID(owner_id))


# Tasks that an earlier release has queued have the older name.
renew_people = refresh_people


def requeue_stale_people() -> int:
    """Enqueue a refresh for each owner whose people are out of date. Return how many owners."""
    return people_refresh.requeue_stale_people()


# As above.
wake_forgotten_people = requeue_stale_people


def rescue_runs() -> int:
    """Enqueue the runs that have no worker. Return how many runs."""
    return rescue.rescue_runs()


def transfer_library(source_id: str, target_id: str, requested_by_id: str) -> None:
    """Transfer a library to another owner, as an admin has confirmed. The log says why it was not possible."""
    source, target, requested_by = (User.objects.get(pk=key) for key in (source_id, target_id, requested_by_id))
    try:
        transfers.transfer_library(source, target, entry_point=ReprocessRun.EntryPoint.ADMIN, requested_by=requested_by)
    except Refused as error:
        log.warning("The library was not transferred", source_id=source_id, target_id=target_id, reason=str(error))


def pack_vectors() -> int:
    """Pack the vectors of large libraries that were written since the last time. Return the number of blocks."""
    return pack_large_spaces()


# Tasks that an earlier release has queued have the older name.
index_spaces = pack_vectors


def find_unpacked_vectors() -> int:
    """Enqueue a packing if there are new vectors. Return in how many spaces."""
    count = len(find_unpacked_spaces())
    if count:
        enqueue("reprocess.tasks.pack_vectors")
    return count
