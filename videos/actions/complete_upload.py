"""Finish an upload: take the bytes that arrived and start the ingest."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.storage import media_storage
from videos.actions.errors import WrongState
from videos.ingest.schedule import start_ingest
from videos.models import Video

NOTHING_ARRIVED = "No file has arrived yet. PUT its bytes to the upload address first, then complete."
WRONG_SIZE = "The file that arrived has {arrived} bytes, but {announced} were announced. PUT it again."
EXPIRED = "The upload was not finished in time. Announce it again."


def complete_upload(owner: User, video_id: UUID) -> Video:
    """Move the arrived file out of the client's reach and queue the ingest; a repeated call answers the same and does nothing.

    Video.DoesNotExist for another owner's id; WrongState when no file, or one of another size, has arrived.
    """
    with transaction.atomic():
        video = Video.objects.select_for_update().get(pk=video_id, owner=owner)
        if video.error_code == "upload_expired":
            raise WrongState(EXPIRED)
        if video.state != Video.State.UPLOADING:
            return video
        storage = media_storage()
        arrived = storage.size(video.upload_key)
        if arrived is None and storage.size(video.original_key) is None:
            raise WrongState(NOTHING_ARRIVED)
        if arrived is not None:
            if arrived != video.size_bytes:
                raise WrongState(WRONG_SIZE.format(arrived=arrived, announced=video.size_bytes))
            # From here on no upload address reaches the file, so what is validated is what is decoded.
            storage.move(video.upload_key, video.original_key)
        video.state = Video.State.VALIDATING
        video.updated_at = timezone.now()
        video.save(update_fields=["state", "updated_at"])
        start_ingest(video)
    return video
