"""Delete a video: its rows, its files and its place in the search."""

from django.db import transaction

from heimdex.storage import media_storage
from videos.models import Video


def delete_video(video: Video) -> None:
    """Remove everything of a video. The files go after the rows, so a crash between leaves no row that points at nothing."""
    prefix = video.storage_prefix
    with transaction.atomic():
        video.delete()
        transaction.on_commit(lambda: media_storage().delete_prefix(prefix))
