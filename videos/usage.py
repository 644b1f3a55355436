"""What an owner's videos use of the quota."""

from uuid import UUID

from django.db.models import Count, Q, Sum

from heimdex.accounts.quotas import Usage
from videos.errors import IngestErrorCode
from videos.models import Video


def measure_videos(owner_id: UUID) -> Usage:
    """Return the bytes, the length and the open uploads of an owner's videos. An upload that expired has no file, so it uses nothing."""
    sums = (
        Video.objects.filter(owner=owner_id)
        .exclude(error_code=IngestErrorCode.UPLOAD_EXPIRED)
        .aggregate(
            bytes=Sum("size_bytes", default=0),
            seconds=Sum("metadata__duration_s", default=0.0),
            open_uploads=Count("pk", filter=Q(state=Video.State.UPLOADING)),
        )
    )
    return Usage(**{**sums, "bytes": int(sums["bytes"])})
