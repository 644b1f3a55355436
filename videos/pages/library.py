"""The library: an owner's videos, newest first, and the uploader."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_safe

from heimdex.accounts.owner import get_owner
from heimdex.accounts.quotas import describe_usage
from heimdex.backends import get_transcriber
from heimdex.speech.languages import NAMES, get_language_name
from heimdex.uploads.uploader import Uploader
from videos.models import Scene, Video
from videos.status import VideoStatus, get_video_status, list_status_labels
from videos.times import format_time

PER_PAGE = 24


@dataclass(frozen=True)
class VideoCard:
    """A video in the library. The thumbnail URL and the duration are empty while they are unknown."""

    video: Video
    status: VideoStatus
    thumbnail_url: str
    duration: str


@login_required
@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """Show a page of the user's videos."""
    videos = (
        Video.objects.filter(owner=get_owner(request))
        .defer("description", "summary", "tags")
        .select_related("metadata")
        .prefetch_related("jobs")
    )
    page = Paginator(videos, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "cards": _build_cards(list(page)),
        "status_labels": list_status_labels(),
        "usage": describe_usage(get_owner(request)),
        "uploader": _build_uploader(get_owner(request).email),
    }
    return render(request, "videos/library.html", context)


def _build_uploader(email: str) -> Uploader:
    transcribed = set(filter(get_transcriber().supports_language, NAMES))
    languages = [
        (code, get_language_name(code) if code in transcribed else f"{get_language_name(code)} (not transcribed on this server)")
        for code in NAMES
    ]
    size = filesizeformat(settings.MAX_UPLOAD_BYTES).replace(".0", "")
    return Uploader(
        heading="Upload",
        label="Choose videos",
        help=f"Or drop them here. Up to {size} each. Files upload one at a time."
        + (" This server transcribes English only." if transcribed == {"en"} else ""),
        without_script=f"Uploads in the browser need JavaScript. On the server, run “manage.py ingest PATH… --owner {email}”.",
        accept="video/*,image/gif,.mkv,.ts,.mts",
        max_bytes=settings.MAX_UPLOAD_BYTES,
        init_url=reverse("upload-init"),
        complete_url=reverse("upload-complete"),
        items_url=reverse("video-list"),
        id_key="video_id",
        page_url="/videos/{id}/",
        refreshes="library",
        languages=sorted(languages, key=lambda language: language[1]),
    )


def _build_cards(videos: Sequence[Video]) -> list[VideoCard]:
    thumbnails = _sign_thumbnails(videos)
    return [
        VideoCard(
            video,
            get_video_status(video),
            thumbnails.get(video.pk, ""),
            format_time(video.metadata.duration_s) if hasattr(video, "metadata") else "",
        )
        for video in videos
    ]


def _sign_thumbnails(videos: Sequence[Video]) -> dict[UUID, str]:
    """Return the signed URL of each video's first thumbnail, with one query."""
    first = Scene.objects.filter(video__in=videos).exclude(keyframe_hash="").order_by("video_id", "index").distinct("video_id")
    return {scene.video_id: scene.thumbnail_url for scene in first.only("pk", "video_id", "owner_id", "keyframe_hash")}
