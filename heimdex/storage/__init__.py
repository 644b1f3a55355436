"""Where media files live: one interface over a local directory and S3.

`media_storage()` is the storage of this installation; `base` has the interface.
"""

from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

from heimdex.storage.base import InvalidKeyError, MediaStorage, StorageError, StoredFile, UploadTarget

__all__ = ["InvalidKeyError", "MediaStorage", "StorageError", "StoredFile", "UploadTarget", "media_storage"]


@cache
def media_storage() -> MediaStorage:
    """Return the storage that `settings.MEDIA_STORAGE` describes, one per process."""
    from heimdex.storage.options import S3Options

    options = settings.MEDIA_STORAGE
    if isinstance(options, S3Options):
        from heimdex.storage.s3 import S3Storage

        return S3Storage(options)
    from heimdex.storage.local import LocalStorage

    return LocalStorage(options)


def _reset(*, setting: str, **_: Any) -> None:
    if setting == "MEDIA_STORAGE":
        media_storage.cache_clear()


setting_changed.connect(_reset, dispatch_uid="heimdex.storage")
