"""Media files behind one interface, in a local directory or on S3.

Django's `STORAGES["media"]` names the class and its options. `get_media_storage()` returns the instance, and `base` defines the interface.
"""

from typing import Any, cast

from django.conf import settings
from django.core.files.storage import storages

from heimdex.environment import Environment
from heimdex.storage.base import FileReplacedError, InvalidKeyError, MediaStorage, StorageError, StoredFile, UploadTarget

__all__ = [
    "FileReplacedError",
    "InvalidKeyError",
    "MediaStorage",
    "StorageError",
    "StoredFile",
    "UploadTarget",
    "get_media_storage",
    "sign_url",
]

MEDIA_ALIAS = "media"
LOCAL = "heimdex.storage.local.LocalMediaStorage"
S3 = "heimdex.storage.s3.S3MediaStorage"


def get_media_storage() -> MediaStorage:
    """Return the storage of media files, one instance per process."""
    return cast(MediaStorage, storages[MEDIA_ALIAS])


def sign_url(key: str, *, filename: str | None = None) -> str:
    """Return a URL that serves a media file without a login for LINK_TTL_SECONDS.

    With `filename` the browser downloads the file under that name. The URL may be a path of this host.
    """
    return get_media_storage().presign_download(key, expires_in_s=settings.LINK_TTL_SECONDS, filename=filename)


def build_media_storage_settings(environment: Environment) -> dict[str, Any]:
    """Return the class and the options of the storage that HEIMDEX_STORAGE selects."""
    if environment.storage == "s3":
        options = {
            "bucket": environment.s3_bucket,
            "endpoint_url": environment.s3_endpoint_url,
            "public_endpoint_url": environment.s3_public_endpoint_url,
            "region": environment.s3_region,
            "access_key": environment.s3_access_key,
            "secret_key": environment.s3_secret_key,
            "scratch": environment.home / "scratch",
        }
        return {"BACKEND": S3, "OPTIONS": options}
    return {"BACKEND": LOCAL, "OPTIONS": {"root": environment.home / "media", "public_url": environment.public_url}}
