"""Upload a video: create its row, presign the upload, and start the ingest once the file has arrived."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.quotas import check_upload_quota
from heimdex.accounts.rate_limits import spend
from heimdex.errors import Refused, WrongState
from heimdex.speech.languages import parse_language
from heimdex.storage import UploadTarget
from heimdex.uploads import flow
from videos.errors import IngestErrorCode
from videos.ingest.schedule import start_ingest
from videos.models import Video
from videos.models.video import TITLE_MAX_LENGTH
from videos.storage_keys import parse_key

# Browsers send this type for files that they do not recognize. The content decides later.
UNKNOWN_TYPE = "application/octet-stream"
# The type is returned in headers, so it and its parameters may contain only the characters of a header.
_VIDEO_TYPE = re.compile(r"video/[!-~][ -~]*")

WRONG_TYPE = "is not a video ({mime_type}). Choose a video file such as MP4, MOV, MKV or WebM."
UNKNOWN_LANGUAGE = "“{}” is not a known language code. Use a code such as en or pt-BR, or leave it out to detect the language."


@dataclass(frozen=True)
class VideoUpload(flow.UploadRequest):
    """The video that a client wants to send."""

    title: str = ""
    description: str = ""
    language: str = ""


def init_upload(owner: User, upload: VideoUpload) -> tuple[Video, UploadTarget]:
    """Create a video in state `uploading`, and presign its upload.

    Raise Refused for an unsupported size, type or language, OutOfSpace, WrongState when the owner's quota is used up, and
    RateExceeded.
    """
    policy = get_upload_policy()
    flow.validate_upload(upload, policy)
    flow.check_disk(upload.size_bytes)
    if upload.language and parse_language(upload.language) is None:
        raise Refused(UNKNOWN_LANGUAGE.format(upload.language), "language")
    # An upload that is refused does not count.
    with transaction.atomic():
        spend("upload", owner.pk)
        check_upload_quota(owner, upload.size_bytes, is_video=True)
        video = Video.objects.create(
            owner=owner,
            filename=upload.filename,
            mime_type=upload.mime_type,
            size_bytes=upload.size_bytes,
            title=upload.title.strip() or derive_title(upload.filename),
            description=upload.description,
            language=parse_language(upload.language) or "",
            upload_expires_at=policy.compute_expiry(),
        )
    return video, flow.presign_upload(video)


def renew_upload_url(owner: User, video_id: UUID) -> UploadTarget:
    """Presign an upload again, because its URL may expire before the upload does.

    Raise Video.DoesNotExist for another owner's video, and WrongState when the upload was completed or has expired.
    """
    video = Video.objects.get(pk=video_id, owner=owner, owner__is_active=True)
    if video.error_code == IngestErrorCode.UPLOAD_EXPIRED:
        raise WrongState(flow.EXPIRED)
    return flow.presign_upload(video)


def complete_upload(owner: User, video_id: UUID) -> Video:
    """Move the uploaded file out of the client's reach and queue the ingest. A repeated call returns the same video and does nothing.

    Raise Video.DoesNotExist for another owner's video or when the owner is not active any more, and WrongState when no file, or a file of
    another size, has arrived.
    """
    with transaction.atomic():
        video = Video.objects.select_for_update(of=("self",)).get(pk=video_id, owner=owner, owner__is_active=True)
        if video.error_code == IngestErrorCode.UPLOAD_EXPIRED:
            raise WrongState(flow.EXPIRED)
        if video.state != Video.State.UPLOADING:
            return video
        flow.receive_file(video)
        video.state = Video.State.VALIDATING
        video.updated_at = timezone.now()
        video.save(update_fields=["state", "updated_at"])
        start_ingest(video)
    return video


def find_upload(key: str) -> QuerySet[Video] | None:
    """Return the video that is uploaded to a storage key (no row when it was deleted), or None for a key of another type."""
    parts = parse_key(key)
    if parts is None or parts.scene_id or parts.name != "upload":
        return None
    return Video.objects.filter(pk=parts.video_id, owner_id=parts.owner_id)


def get_upload_policy() -> flow.UploadPolicy:
    """Return what an upload of a video accepts."""
    return flow.UploadPolicy(max_bytes=settings.MAX_UPLOAD_BYTES, accepts_type=is_video_type, wrong_type=WRONG_TYPE)


def is_video_type(mime_type: str) -> bool:
    """Return whether a video may have this type: any video type, GIF, or a type that the browser does not know. Pure."""
    return bool(_VIDEO_TYPE.fullmatch(mime_type)) or mime_type in (UNKNOWN_TYPE, "image/gif")


def derive_title(filename: str) -> str:
    """Derive a title from a file's name, without folders and extension. Pure."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    stem = name.rsplit(".", 1)[0] or name
    return " ".join(stem.replace("_", " ").split())[:TITLE_MAX_LENGTH] or "Untitled"
