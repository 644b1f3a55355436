"""Media files behind one interface, in a local directory or on S3.

Django's `STORAGES["media"]` names the class and its options. `media_storage()` returns the instance, and `base` defines the interface.
"""

from typing import cast

from django.conf import settings
from django.core.files.storage import storages

from heimdex.storage.base import InvalidKeyError, MediaStorage, StorageError, StoredFile, UploadTarget

__all__ = ["InvalidKeyError", "MediaStorage", "StorageError", "StoredFile", "UploadTarget", "media_storage", "signed_url"]

MEDIA_ALIAS = "media"


def media_storage() -> MediaStorage:
    """Return the storage of media files, one instance per process."""
    return cast(MediaStorage, storages[MEDIA_ALIAS])


def signed_url(key: str, *, filename: str | None = None) -> str:
    """Return a URL that serves a media file without a login for LINK_TTL_SECONDS.

    With `filename` the browser downloads the file under that name. The URL may be a path of this host.
    """
    return media_storage().presign_download(key, expires_in_s=settings.LINK_TTL_SECONDS, filename=filename)
