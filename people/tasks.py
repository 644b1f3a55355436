"""What workers run for people: each takes ids and makes one call."""

from uuid import UUID

from people import groups
from people.photos.schedule import rescue


def rescue_photos() -> int:
    """Find photos that nobody looks at and have them taken up again; return how many."""
    return rescue()


def group_faces(owner_id: str) -> int:
    """Put an owner's new faces into groups; return how many."""
    return groups.group_faces(UUID(owner_id))


def find_ungrouped_faces() -> int:
    """Have new faces put into groups; return of how many owners."""
    return groups.find_ungrouped()
