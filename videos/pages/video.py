"""The page of a video: the player, its properties, its scenes, and the buttons to retry and delete it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from heimdex.accounts.owner import get_owner
from heimdex.errors import WrongState
from heimdex.speech.languages import get_language_name
from videos.actions.videos import delete_video, edit_video, retry_video
from videos.models import Job, Scene, Video
from videos.models.video import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH
from videos.registry import get_people_search
from videos.search.people_backend import Appearance
from videos.status import VideoStatus, get_stage_label, get_video_status, list_status_labels
from videos.times import format_time, parse_seconds
from videos.video_people import list_video_people

SCENES_PER_PAGE = 100

_STATE_LABELS = {
    Job.State.QUEUED: "waiting",
    Job.State.RUNNING: "running",
    Job.State.FAILED: "failed",
    Job.State.DONE: "",
}


class VideoForm(forms.Form):
    """The properties of a video that its owner can edit."""

    title = forms.CharField(max_length=TITLE_MAX_LENGTH)
    description = forms.CharField(max_length=DESCRIPTION_MAX_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 4}))


@dataclass(frozen=True)
class SceneRow:
    """A scene in the list. The thumbnail URL is empty when it has no keyframe."""

    scene: Scene
    number: int
    start: str
    end: str
    thumbnail_url: str
    people: tuple[str, ...]


@dataclass(frozen=True)
class PersonRow:
    """A person in the video: the number of scenes, and the start of each range of scenes in seconds and as text."""

    name: str
    scenes: int
    starts: tuple[tuple[float, str], ...]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def video_page(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Show a video from `?t=` seconds on. On POST change its title and description."""
    with_speech = Scene.objects.filter(video=OuterRef("pk")).exclude(transcript="")
    videos = Video.objects.select_related("metadata").prefetch_related("jobs")
    video = get_object_or_404(videos.annotate(has_captions=Exists(with_speech)), pk=video_id, owner=get_owner(request))
    if request.method == "POST":
        form = VideoForm(request.POST)
        if form.is_valid():
            edit_video(video, title=form.cleaned_data["title"], description=form.cleaned_data["description"])
            messages.success(request, "Saved.")
            return redirect("video-page", video_id=video.pk)
    else:
        form = VideoForm(initial={"title": video.title, "description": video.description})
    start_s = parse_seconds(request.GET.get("t", ""))
    page = _paginate_scenes(video, request.GET.get("scenes"), start_s)
    scenes = list(video.scenes.only("id", "video_id", "start_s", "end_s").order_by("index"))
    people = get_people_search().list_appearances(video.owner_id, [scene.pk for scene in scenes])
    status = get_video_status(video)
    context = {
        "video": video,
        "form": form,
        "status": status,
        "status_labels": list_status_labels(),
        "facts": _list_facts(video),
        "chapters": [{**chapter, "start": format_time(chapter["start_s"])} for chapter in video.chapters],
        "stages": build_stage_rows(status),
        "page": page,
        "people": _build_person_rows(scenes, people),
        "scenes": [_build_scene_row(scene, people.get(scene.pk, ())) for scene in page],
        "timeline": video.get_timeline(),
        "player_url": _build_player_url(video, start_s),
        "download_url": video.download_url,
    }
    return render(request, "videos/video.html", context)


def _paginate_scenes(video: Video, number: str | None, start_s: float | None) -> Page[Scene]:
    """Return the requested page of scenes, or else the page with the scene at `start_s`."""
    scenes = video.scenes.defer("words", "visual_text").order_by("index")
    page: str | int | None = number
    if number is None and start_s is not None:
        started = scenes.filter(start_s__lte=start_s).count()
        page = max(started - 1, 0) // SCENES_PER_PAGE + 1
    return Paginator(scenes, SCENES_PER_PAGE).get_page(page)


def _build_person_rows(scenes: Sequence[Scene], appearances: Mapping[UUID, Sequence[Appearance]]) -> list[PersonRow]:
    return [
        PersonRow(person.name, person.scenes, tuple((start, format_time(start)) for start, _ in person.ranges))
        for person in list_video_people(scenes, appearances)
    ]


def _build_scene_row(scene: Scene, people: Sequence[Appearance]) -> SceneRow:
    names = tuple(person.name for person in people)
    return SceneRow(scene, scene.index + 1, format_time(scene.start_s), format_time(scene.end_s), scene.thumbnail_url, names)


def _build_player_url(video: Video, start_s: float | None) -> str:
    """Return the signed URL of the file, or an empty string until the video is ready."""
    url = video.playback_url
    # A media fragment (W3C Media Fragments URI 1.0) makes players start there without a script.
    return url if not url or start_s is None else f"{url}#t={start_s:.2f}"


def _list_facts(video: Video) -> list[tuple[str, str]]:
    """Return the measured properties as pairs of label and value."""
    facts = [("File", video.filename), ("Size", filesizeformat(video.size_bytes))]
    if not hasattr(video, "metadata"):
        return facts
    metadata = video.metadata
    return [
        ("Duration", format_time(metadata.duration_s)),
        ("Resolution", f"{metadata.width} × {metadata.height}, {metadata.fps:.4g} frames per second"),
        ("Codecs", f"{metadata.video_codec} (video), {metadata.audio_codec or 'none'} (audio)"),
        ("Language", get_language_name(metadata.language) or metadata.speech_notice or "No speech recognized"),
        *facts,
    ]


@dataclass(frozen=True)
class StageRow:
    """A stage's label, its state (empty once it is done), the duration of its last attempt, and the number of attempts."""

    label: str
    state: str
    time: str
    attempts: int


def build_stage_rows(status: VideoStatus) -> list[StageRow]:
    """Return a row for each stage that a worker has started."""
    return [
        StageRow(
            get_stage_label(job.stage),
            _STATE_LABELS.get(Job.State(job.state), job.state),
            _format_duration(duration_s),
            job.attempts,
        )
        for job in status.stages
        if (duration_s := job.duration_s) is not None
    ]


def _format_duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{format_time(seconds)} {'min' if seconds < 3600 else 'h'}"


@login_required
@require_POST
def retry(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Queue a failed video again, and return to the page with the button."""
    try:
        video = retry_video(get_owner(request), video_id)
    except Video.DoesNotExist as error:
        raise Http404 from error
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Processing “{video.title}” again.")
    next_url = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(next_url, allowed_hosts=None):
        return redirect(next_url)
    return redirect("video-page", video_id=video_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Ask for confirmation, then delete a video."""
    video = get_object_or_404(Video.objects, pk=video_id, owner=get_owner(request))
    if request.method == "POST":
        delete_video(video)
        messages.success(request, f"Deleted “{video.title}”.")
        return redirect("library")
    return render(request, "videos/delete.html", {"video": video, "scene_count": video.scenes.count()})
