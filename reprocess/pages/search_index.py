"""The page of a video's search index, which the video page embeds: how much is up to date, and buttons that update it."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import RateExceeded
from heimdex.errors import WrongState
from reprocess.actions.refresh import cancel_refresh, refresh_video
from reprocess.models import ReprocessFailure
from reprocess.reports.search_index import SearchIndexStatus, get_search_index_status
from reprocess.runs.unexpected import omit_details
from videos.channels import get_channel
from videos.models import Video

STATE_LABELS = {
    "queued": "Waiting",
    "running": "Updating",
    "paused": "Paused",
    "failed": "Incomplete",
    "cancelled": "Canceled",
}


@dataclass(frozen=True)
class ChannelRow:
    """The number of scenes that are up to date in one channel, and of all scenes."""

    label: str
    current: int
    scenes: int


@dataclass(frozen=True)
class FailureRow:
    """A scene and channel that could not be updated, and why."""

    target: str
    reason: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def search_index_page(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Show the status of the search index of a video. On POST, update it or cancel the update.

    Raise Http404 for a video of another owner.
    """
    owner = get_owner(request)
    video = get_object_or_404(Video.objects, pk=video_id, owner=owner)
    if request.method == "POST":
        _act(request, owner, video)
        return redirect("search-index", video_id=video.pk)
    search_index = get_search_index_status(owner, video)
    context = {
        "video": video,
        "search_index": search_index,
        "indexed": video.state == Video.State.INDEXED,
        "label": _choose_label(search_index),
        "channels": [
            ChannelRow(get_channel(channel.channel).display_label, channel.current, channel.scenes) for channel in search_index.channels
        ],
        "failures": [_build_failure_row(failure) for failure in search_index.failures],
    }
    return render(request, "reprocess/search_index.html", context)


def _act(request: HttpRequest, owner: User, video: Video) -> None:
    try:
        if "cancel" in request.POST:
            cancel_refresh(owner, video.pk)
            messages.success(request, "Update canceled. Finished parts are kept.")
        else:
            refresh_video(owner, video.pk, force="force" in request.POST)
            messages.success(request, "Update started. You can leave this page.")
    except (WrongState, RateExceeded) as error:
        messages.error(request, str(error))


def _choose_label(search_index: SearchIndexStatus) -> str:
    return STATE_LABELS.get(search_index.state) or ("Up to date" if search_index.progress == 100 else "Out of date")


def _build_failure_row(failure: ReprocessFailure) -> FailureRow:
    channel = get_channel(failure.channel).display_label
    target = [f"Scene {failure.scene.index + 1}"] if failure.scene else []
    return FailureRow(", ".join([*target, channel] if channel else target) or "The whole video", omit_details(failure.error))
