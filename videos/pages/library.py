"""The library: an owner's videos, newest first, and the place to upload more."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from heimdex.accounts.owner import owner_of
from heimdex.speech.languages import NAMES, name_of
from heimdex.storage import media_storage
from videos.models import Scene, Video
from videos.pages.standing import STAGE_WORDS, Standing
from videos.pages.times import clock

PER_PAGE = 24


@dataclass(frozen=True)
class Card:
    """One video in the library; an empty address means that there is no picture yet, an empty duration that it is not known."""

    video: Video
    standing: Standing
    thumbnail_url: str
    duration: str


@login_required
@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """Show one page of the asking owner's videos."""
    videos = (
        Video.objects.filter(owner=owner_of(request))
        .defer("search_vector", "description", "summary", "tags")
        .select_related("metadata")
        .prefetch_related("jobs")
    )
    page = Paginator(videos, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "cards": _cards(list(page)),
        "stage_words": STAGE_WORDS,
        "max_upload_bytes": settings.MAX_UPLOAD_BYTES,
        "languages": sorted(((code, name_of(code)) for code in NAMES), key=lambda language: language[1]),
    }
    return render(request, "videos/library.html", context)


def _cards(videos: Sequence[Video]) -> list[Card]:
    thumbnails = _thumbnails(videos)
    return [
        Card(
            video,
            Standing.of(video),
            thumbnails.get(video.pk, ""),
            clock(video.metadata.duration_s) if hasattr(video, "metadata") else "",
        )
        for video in videos
    ]


def _thumbnails(videos: Sequence[Video]) -> dict[UUID, str]:
    """Return the signed address of each video's first picture, all found with one query."""
    first = Scene.objects.filter(video__in=videos).exclude(clip_hash="").order_by("video_id", "index").distinct("video_id")
    storage = media_storage()
    return {
        scene.video_id: storage.download_url(scene.thumbnail_key, settings.LINK_TTL_SECONDS)
        for scene in first.only("pk", "video_id", "owner_id")
    }
