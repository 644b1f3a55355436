"""The steps of an upload: validate the announcement, presign the PUT, receive the file, and end uploads that were never completed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from heimdex.errors import OutOfSpace, Refused, WrongState
from heimdex.outages.deletions import delete_files_now
from heimdex.storage import FileReplacedError, UploadTarget, get_media_storage
from heimdex.storage.base import sanitize_filename
from heimdex.uploads.open_uploads import UPLOADING

DISK_ALMOST_FULL = (
    "The server's disk is almost full, so it accepts no new uploads. Everything else works. Ask the administrator to free some space, "
    "then upload the file again."
)
FILE_NOT_RECEIVED = "No file has arrived yet. PUT its bytes to the upload URL first, then complete the upload."
SIZE_MISMATCH = "The file that arrived has {arrived} bytes, but the upload was created for {announced}. PUT the file again."
REPLACED = "The file was sent again while the upload was completed. Complete the upload again."
EXPIRED = "The upload was not finished in time. Start a new upload."
NOT_OPEN = "This upload was completed, so it needs no URL."
_BATCH_SIZE = 200


@dataclass(frozen=True)
class UploadRequest:
    """The file that a client wants to send (size in bytes)."""

    filename: str
    mime_type: str
    size_bytes: int


@dataclass(frozen=True)
class UploadPolicy:
    """What an upload of one type of file accepts.

    `wrong_type` completes the sentence "<file name> …" and contains `{mime_type}`; `too_large_hint` follows the sentence about the size.
    """

    max_bytes: int
    accepts_type: Callable[[str], bool]
    wrong_type: str
    too_large_hint: str = ""
    max_lifetime: timedelta | None = None

    def compute_expiry(self) -> datetime:
        """Return when an upload that starts now expires: after HEIMDEX_UPLOAD_TTL_S, or after `max_lifetime` if that is shorter."""
        lifetime = timedelta(seconds=settings.UPLOAD_TTL_SECONDS)
        return timezone.now() + min(lifetime, self.max_lifetime or lifetime)


class UploadRow(Protocol):
    """A row whose file a client sends. `upload_key` is the key the client writes to; `original_key` is out of the client's reach."""

    @property
    def pk(self) -> Any: ...
    @property
    def mime_type(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def upload_expires_at(self) -> datetime: ...
    @property
    def storage_prefix(self) -> str: ...
    @property
    def upload_key(self) -> str: ...
    @property
    def original_key(self) -> str: ...


R = TypeVar("R", bound=models.Model)


def validate_upload(upload: UploadRequest, policy: UploadPolicy) -> None:
    """Raise Refused when the announced size or type is not accepted."""
    if upload.size_bytes <= 0:
        raise Refused("The file is empty. Choose another file.", "size_bytes")
    if upload.size_bytes > policy.max_bytes:
        limit = filesizeformat(policy.max_bytes)
        raise Refused(f"The file is larger than the limit of {limit}.{policy.too_large_hint}", "size_bytes")
    if not policy.accepts_type(upload.mime_type):
        name = sanitize_filename(upload.filename)
        raise Refused(f"{name} {policy.wrong_type.format(mime_type=upload.mime_type)}", "mime_type")


def check_disk(size_bytes: int) -> None:
    """Raise OutOfSpace when the file would use the disk's reserve, which keeps the database and the workers running."""
    free = get_media_storage().measure_free_bytes()
    if free is not None and free - size_bytes < settings.DISK_RESERVE_BYTES:
        raise OutOfSpace(DISK_ALMOST_FULL)


def presign_upload(row: UploadRow) -> UploadTarget:
    """Return where the client sends the row's file. The URL may expire before the upload does; it can be requested again until then.

    Raise WrongState when the upload was completed or has expired.
    """
    remaining_s = round((row.upload_expires_at - timezone.now()).total_seconds())
    if row.state != UPLOADING:
        raise WrongState(NOT_OPEN)
    if remaining_s < 1:
        raise WrongState(EXPIRED)
    return get_media_storage().presign_upload(row.upload_key, size=row.size_bytes, content_type=row.mime_type, expires_in_s=remaining_s)


def receive_file(row: UploadRow) -> None:
    """Move the row's file out of the client's reach. Do nothing when an interrupted call has moved it already.

    No upload URL reaches the file afterwards, so the bytes that are validated are the bytes that are decoded. Raise WrongState when no
    file, or one of another size, has arrived, or when it is replaced meanwhile.
    """
    storage = get_media_storage()
    arrived = storage.size(row.upload_key)
    if arrived is None:
        if storage.size(row.original_key) is None:
            raise WrongState(FILE_NOT_RECEIVED)
        return
    if arrived != row.size_bytes:
        raise WrongState(SIZE_MISMATCH.format(arrived=arrived, announced=row.size_bytes))
    try:
        storage.move(row.upload_key, row.original_key)
    except FileReplacedError as error:
        raise WrongState(REPLACED) from error


def end_expired_uploads(uploading: models.QuerySet[R], end: Callable[[R], object]) -> int:
    """Call `end` with every locked row whose upload was not completed in time, and delete the files. Return the number of rows."""
    with transaction.atomic():
        expired = uploading.filter(upload_expires_at__lt=timezone.now())
        rows: list[Any] = list(expired.select_for_update(skip_locked=True, of=("self",))[:_BATCH_SIZE])
        prefixes = [row.storage_prefix for row in rows]
        for row in rows:
            end(row)
    for prefix in prefixes:
        delete_files_now(prefix)
    return len(rows)
