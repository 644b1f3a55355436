"""Edit, retry and delete a video."""

from collections.abc import Iterator
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.errors import WrongState
from heimdex.outages.deletions import delete_files
from heimdex.storage import get_media_storage
from videos.channels import TITLE, VIDEO_DESCRIPTION, list_channels_reading
from videos.ingest.schedule import start_ingest
from videos.input_hashes import refresh_input_hashes
from videos.models import Scene, Video
from videos.registry import notify_edited
from videos.search.lexical.handler import get_lexical_backend

# The sources that an edit changes.
_EDITED = (TITLE, VIDEO_DESCRIPTION)
CANNOT_SUCCEED = "A retry with the same file cannot succeed. Delete this video and upload another file."


def edit_video(video: Video, *, title: str | None = None, description: str | None = None) -> Video:
    """Set the title or the description, update the lexical index, and queue the update of vectors that depend on them, if there are any.

    During the video's ingest only the input hashes change: the ingest computes the vectors, and those that it has stored already are stale
    until the next run.
    """
    if title is not None:
        video.title = title
    if description is not None:
        video.description = description
    video.updated_at = timezone.now()
    with transaction.atomic():
        video.save(update_fields=["title", "description", "updated_at"])
        get_lexical_backend().index(video.list_scene_ids())
        _refresh_vectors(video)
    return video


def _refresh_vectors(video: Video) -> None:
    if not list_channels_reading(*_EDITED):
        return
    # Workers lock in the order of the keys too, so there is no deadlock.
    list(Scene.objects.select_for_update(no_key=True).filter(video=video).order_by("pk").values_list("pk"))
    changed = refresh_input_hashes(video, *_EDITED)
    if changed and Video.objects.filter(pk=video.pk, state=Video.State.INDEXED).exists():
        notify_edited(video, *_EDITED)


def retry_video(owner: User, video_id: UUID) -> Video:
    """Queue the whole ingest of a failed video again. Raise WrongState when it has not failed or a retry cannot succeed."""
    with transaction.atomic():
        video = Video.objects.select_for_update().get(pk=video_id, owner=owner)
        if video.state != Video.State.FAILED:
            raise WrongState(f"Only a failed video can be retried. This one is {video.state}.")
        if get_media_storage().size(video.original_key) is None:
            raise WrongState("The file of this video never arrived. Upload it again.")
        if not video.can_retry:
            raise WrongState(CANNOT_SUCCEED)
        video.state = Video.State.VALIDATING
        video.error_code = video.error_text = ""
        video.updated_at = timezone.now()
        video.save(update_fields=["state", "error_code", "error_text", "updated_at"])
        start_ingest(video)
    return video


def delete_video(video: Video) -> None:
    """Delete a video's rows, index entries and files. The files go last, so that a crash in between leaves no row without its file."""
    prefix = video.storage_prefix
    with transaction.atomic():
        # A worker writes under the lock of its lease. Without the lease it writes nothing more; what it wrote while this
        # transaction waited for the lock is deleted below.
        for model in _list_leased_models():
            model._default_manager.filter(video=video).delete()
        get_lexical_backend().delete(video.list_scene_ids())
        video.delete()
        delete_files(prefix)


def _list_leased_models() -> Iterator[type[models.Model]]:
    """Yield every model, of this app or one above it, whose rows hold a worker's lease on a video."""
    for relation in Video._meta.get_fields(include_hidden=True):
        model = relation.related_model
        if relation.one_to_many and isinstance(model, type) and hasattr(model, "lease_token"):
            yield model
