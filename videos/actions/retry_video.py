"""Try a failed video again."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.storage import media_storage
from videos.actions.errors import WrongState
from videos.ingest.schedule import start_ingest
from videos.models import Video


def retry_video(owner: User, video_id: UUID) -> Video:
    """Queue the whole ingest of a failed video anew; WrongState when it has not failed, or its file never arrived."""
    with transaction.atomic():
        video = Video.objects.select_for_update().get(pk=video_id, owner=owner)
        if video.state != Video.State.FAILED:
            raise WrongState(f"Only a failed video can be retried; this one is {video.state}.")
        if media_storage().size(video.original_key) is None:
            raise WrongState("The file of this video never arrived; upload it again.")
        video.state = Video.State.VALIDATING
        video.error_code = video.error_text = ""
        video.updated_at = timezone.now()
        video.save(update_fields=["state", "error_code", "error_text", "updated_at"])
        start_ingest(video)
    return video
