"""The search data of one video: how much of it is up to date, and the buttons that renew it."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from heimdex.accounts.models import User
from heimdex.accounts.owner import owner_of
from reprocess.actions.errors import WrongState
from reprocess.actions.renew_video import TooOften, cancel_renewal, renew_video
from reprocess.models import ReprocessFailure
from reprocess.video_state import VideoState, video_state
from videos.models import Video

STATE_WORDS = {
    "queued": "Waiting",
    "running": "Being renewed",
    "paused": "Paused",
    "failed": "Incomplete",
    "cancelled": "Cancelled",
}
CHANNEL_WORDS = {
    "transcript": "what is said",
    "visual": "what is described",
    "summary": "the summary",
    "clip": "pictures",
}


@dataclass(frozen=True)
class StepRow:
    """One kind of search data in plain words: how many scenes are up to date, and of how many."""

    name: str
    current: int
    scenes: int


@dataclass(frozen=True)
class FailureRow:
    """What could not be renewed, and why."""

    what: str
    why: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def search_data(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Show where the search data of the asking owner's video stand; on POST renew them, or cancel that, and say what came of it."""
    owner = owner_of(request)
    video = get_object_or_404(Video.objects.defer("search_vector"), pk=video_id, owner=owner)
    if request.method == "POST":
        _act(request, owner, video)
        return redirect("search-data", video_id=video.pk)
    state = video_state(owner, video)
    context = {
        "video": video,
        "state": state,
        "indexed": video.state == Video.State.INDEXED,
        "words": _words(state),
        "steps": [StepRow(CHANNEL_WORDS.get(step.channel, step.channel), step.current, step.scenes) for step in state.steps],
        "failures": [_failure(failure) for failure in state.failures],
    }
    return render(request, "reprocess/search_data.html", context)


def _act(request: HttpRequest, owner: User, video: Video) -> None:
    try:
        if "cancel" in request.POST:
            cancel_renewal(owner, video.pk)
            messages.success(request, "The renewal is cancelled; what is done stays.")
        else:
            renew_video(owner, video.pk, force="force" in request.POST)
            messages.success(request, "The search data will be renewed. You can leave this page meanwhile.")
    except (WrongState, TooOften) as error:
        messages.error(request, str(error))


def _words(state: VideoState) -> str:
    return STATE_WORDS.get(state.state) or ("Up to date" if state.progress == 100 else "Out of date")


def _failure(failure: ReprocessFailure) -> FailureRow:
    channel = CHANNEL_WORDS.get(failure.channel, failure.channel)
    what = [f"Scene {failure.scene.index + 1}"] if failure.scene else []
    return FailureRow(", ".join([*what, channel] if channel else what) or "The whole video", failure.error)
