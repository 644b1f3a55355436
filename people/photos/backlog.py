"""The photos that wait for a worker."""

from heimdex.backlog import WorkCount, count_work
from people.models import PersonPhoto


def count_photos() -> WorkCount:
    """Count the photos that are being processed or wait for it."""
    photos = PersonPhoto.objects.all()
    return count_work(photos.filter(state__in=PersonPhoto.IN_PROGRESS), photos, "pk", "updated_at")
