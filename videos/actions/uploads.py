"""Upload a video: create its row, say where its bytes go, and start its ingest once they have arrived."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.errors import Refused, WrongState
from heimdex.speech.languages import parse_language
from heimdex.storage import UploadTarget, media_storage
from heimdex.storage.base import sanitize_filename
from videos.ingest.schedule import start_ingest
from videos.models import Video
from videos.models.video import TITLE_MAX_LENGTH, UPLOAD_EXPIRED

# Browsers send this type for files that they do not recognize. The content decides later.
UNKNOWN_TYPE = "application/octet-stream"
# The type is sent back in headers, so it may contain only what a header can, parameters included.
_VIDEO_TYPE = re.compile(r"video/[!-~][ -~]*")

FILE_NOT_RECEIVED = "No file has arrived yet. PUT its bytes to the upload URL first, then complete the upload."
SIZE_MISMATCH = "The file that arrived has {arrived} bytes, but the upload was created for {announced}. PUT the file again."
EXPIRED = "The upload was not finished in time. Start a new upload."
UNKNOWN_LANGUAGE = "“{}” is not a known language code. Use a code such as en or pt-BR, or leave it out to detect the language."


@dataclass(frozen=True)
class UploadRequest:
    """The file that a client wants to send (size in bytes)."""

    filename: str
    mime_type: str
    size_bytes: int
    title: str = ""
    description: str = ""
    language: str = ""


def init_upload(owner: User, upload: UploadRequest) -> tuple[Video, UploadTarget]:
    """Create a video in state `uploading` and the signed URL for its bytes. Raise Refused for an unsupported size, type or language."""
    validate_upload(upload, settings.MAX_UPLOAD_BYTES)
    lifetime = timedelta(seconds=settings.UPLOAD_TTL_SECONDS)
    video = Video.objects.create(
        owner=owner,
        filename=upload.filename,
        mime_type=upload.mime_type,
        size_bytes=upload.size_bytes,
        title=upload.title.strip() or derive_title(upload.filename),
        description=upload.description,
        language=parse_language(upload.language) or "",
        upload_expires_at=timezone.now() + lifetime,
    )
    target = media_storage().presign_upload(
        video.upload_key, size=video.size_bytes, content_type=video.mime_type, expires_in_s=int(lifetime.total_seconds())
    )
    return video, target


def complete_upload(owner: User, video_id: UUID) -> Video:
    """Move the uploaded file out of the client's reach and queue the ingest. A repeated call returns the same video and does nothing.

    Raise Video.DoesNotExist for another owner's video, and WrongState when no file, or a file of another size, has arrived.
    """
    with transaction.atomic():
        video = Video.objects.select_for_update().get(pk=video_id, owner=owner)
        if video.error_code == UPLOAD_EXPIRED:
            raise WrongState(EXPIRED)
        if video.state != Video.State.UPLOADING:
            return video
        storage = media_storage()
        arrived = storage.size(video.upload_key)
        if arrived is None and storage.size(video.original_key) is None:
            raise WrongState(FILE_NOT_RECEIVED)
        if arrived is not None:
            if arrived != video.size_bytes:
                raise WrongState(SIZE_MISMATCH.format(arrived=arrived, announced=video.size_bytes))
            # No upload URL reaches the file after this, so the bytes that are validated are the bytes that are decoded.
            storage.move(video.upload_key, video.original_key)
        video.state = Video.State.VALIDATING
        video.updated_at = timezone.now()
        video.save(update_fields=["state", "updated_at"])
        start_ingest(video)
    return video


def validate_upload(upload: UploadRequest, max_bytes: int) -> None:
    """Raise Refused when the size, type or language is not supported. Pure."""
    if upload.size_bytes <= 0:
        raise Refused("The file is empty. Choose another file.", "size_bytes")
    if upload.size_bytes > max_bytes:
        raise Refused(f"The file is larger than the limit of {max_bytes} bytes.", "size_bytes")
    if not _VIDEO_TYPE.fullmatch(upload.mime_type) and upload.mime_type not in (UNKNOWN_TYPE, "image/gif"):
        name = sanitize_filename(upload.filename)
        raise Refused(f"{name} is not a video ({upload.mime_type}). Choose a video file such as MP4, MOV, MKV or WebM.", "mime_type")
    if upload.language and parse_language(upload.language) is None:
        raise Refused(UNKNOWN_LANGUAGE.format(upload.language), "language")


def derive_title(filename: str) -> str:
    """Return a title made of a file's name without folders and extension. Pure."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    stem = name.rsplit(".", 1)[0] or name
    return " ".join(stem.replace("_", " ").split())[:TITLE_MAX_LENGTH] or "Untitled"
