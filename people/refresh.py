"""Request a refresh of an owner's photos and people."""

from uuid import UUID

from heimdex.queue import enqueue
from people.models import PeopleRefreshRequest

# A string, because the task belongs to a package that imports this one.
REFRESH_PEOPLE_TASK = "reprocess.tasks.refresh_people"


def request_refresh(owner_id: UUID) -> None:
    """Queue a refresh of an owner's photos and people when the current transaction commits.

    The request is a row that stays until a worker completes it, so a lost task is queued again.
    """
    PeopleRefreshRequest.objects.create(owner_id=owner_id)
    enqueue(REFRESH_PEOPLE_TASK, str(owner_id))
