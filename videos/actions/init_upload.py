"""Announce an upload: create the video's row and say where its bytes go."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath

from django.conf import settings
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.speech.languages import code_of
from heimdex.storage import UploadTarget, media_storage
from heimdex.storage.base import safe_filename
from videos.actions.errors import Refused
from videos.models import Video

# What browsers call files whose type they do not know; the content decides later.
UNKNOWN_TYPE = "application/octet-stream"
_TITLE_LENGTH = 300
UNKNOWN_LANGUAGE = "{} is no language that speech models know. Give its code, such as en or pt-BR, or leave it out to have it found out."
# The type is sent back in headers, so only what a header can hold, parameters included.
_VIDEO_TYPE = re.compile(r"video/[!-~][ -~]*")


@dataclass(frozen=True)
class Announcement:
    """What a client says of the file that it is about to send (size in bytes)."""

    filename: str
    mime_type: str
    size_bytes: int
    title: str = ""
    description: str = ""
    language: str = ""


def init_upload(owner: User, announced: Announcement) -> tuple[Video, UploadTarget]:
    """Create a video in state `uploading` and the address to PUT its bytes to; Refused for a size, type or language that is not taken."""
    check_announcement(announced, settings.MAX_UPLOAD_BYTES)
    lifetime = timedelta(seconds=settings.UPLOAD_TTL_SECONDS)
    video = Video.objects.create(
        owner=owner,
        filename=announced.filename,
        mime_type=announced.mime_type,
        size_bytes=announced.size_bytes,
        title=announced.title.strip() or title_from(announced.filename),
        description=announced.description,
        language=code_of(announced.language) or "",
        upload_expires_at=timezone.now() + lifetime,
    )
    target = media_storage().upload_target(
        video.upload_key, size=video.size_bytes, content_type=video.mime_type, expires_in_s=int(lifetime.total_seconds())
    )
    return video, target


def check_announcement(announced: Announcement, max_bytes: int) -> None:
    """Raise Refused when the announced size, type or language is not taken. Pure."""
    if announced.size_bytes <= 0:
        raise Refused("The file is empty; choose one with content.", "size_bytes")
    if announced.size_bytes > max_bytes:
        raise Refused(f"The file is larger than the limit of {max_bytes} bytes.", "size_bytes")
    if not _VIDEO_TYPE.fullmatch(announced.mime_type) and announced.mime_type not in (UNKNOWN_TYPE, "image/gif"):
        name = safe_filename(announced.filename)
        raise Refused(f"{name} is not a video ({announced.mime_type}). Choose a video file such as MP4, MOV, MKV or WebM.", "mime_type")
    if announced.language and code_of(announced.language) is None:
        raise Refused(UNKNOWN_LANGUAGE.format(announced.language), "language")


def title_from(filename: str) -> str:
    """Return a title for a file that came without one: its name without folders and ending. Pure."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    stem = name.rsplit(".", 1)[0] or name
    return " ".join(stem.replace("_", " ").split())[:_TITLE_LENGTH] or "Untitled"
