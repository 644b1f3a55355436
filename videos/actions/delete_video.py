"""Delete a video: its rows, its files and its place in the search."""

from django.db import transaction

from heimdex.storage import media_storage
from videos.models import Job, Video


def delete_video(video: Video) -> None:
    """Remove everything of a video. The files go after the rows, so a crash between leaves no row that points at nothing."""
    prefix = video.storage_prefix
    with transaction.atomic():
        # A worker writes under the lock of its job: without jobs it writes nothing more, and what it has written is seen below.
        Job.objects.filter(video=video).delete()
        video.delete()
        transaction.on_commit(lambda: media_storage().delete_prefix(prefix))
