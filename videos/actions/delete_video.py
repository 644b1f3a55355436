"""Delete a video: its rows, its files and its place in the search."""

from collections.abc import Iterator

from django.db import models, transaction

from heimdex.storage import media_storage
from videos.models import Video


def delete_video(video: Video) -> None:
    """Remove everything of a video. The files go after the rows, so a crash between leaves no row that points at nothing."""
    prefix = video.storage_prefix
    with transaction.atomic():
        # A worker writes under the lock of its lease: once the leases are gone it writes nothing more,
        # and what it wrote while this waited is seen, and deleted, below.
        for leased in _leased():
            leased._default_manager.filter(video=video).delete()
        video.delete()
        transaction.on_commit(lambda: media_storage().delete_prefix(prefix))


def _leased() -> Iterator[type[models.Model]]:
    """Yield every model, of this app or one above it, whose rows are somebody's right to work on a video."""
    for relation in Video._meta.get_fields(include_hidden=True):
        model = relation.related_model
        if relation.one_to_many and isinstance(model, type) and hasattr(model, "lease_token"):
            yield model
