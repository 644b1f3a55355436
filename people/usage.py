"""What an owner's photos use of the quota."""

from uuid import UUID

from django.db.models import Count, Q, Sum

from heimdex.accounts.quotas import Usage
from people.models import PersonPhoto


def measure_photos(owner_id: UUID) -> Usage:
    """Return the uploaded bytes and the open uploads of an owner's photos."""
    is_open = Q(state=PersonPhoto.State.UPLOADING)
    sums = PersonPhoto.objects.filter(owner=owner_id).aggregate(
        bytes=Sum("size_bytes", default=0), open_uploads=Count("pk", filter=is_open)
    )
    return Usage(bytes=int(sums["bytes"]), open_uploads=sums["open_uploads"])
