"""Tasks of people: each takes ids and makes one call. Queued tasks name these functions, so their names must not change."""

from uuid import UUID

from people import face_groups
from people.photos import state


def rescue_photos() -> int:
    """Queue stuck photos again; return how many."""
    return state.rescue_photos()


def group_faces(owner_id: str) -> int:
    """Group an owner's new faces; return how many."""
    return face_groups.group_faces(UUID(owner_id))


def find_ungrouped_faces() -> int:
    """Queue the grouping of new faces; return the number of owners."""
    return face_groups.queue_ungrouped_owners()
