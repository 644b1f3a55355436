"""The page of one video: the player, what is known about it, and its scenes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import owner_of
from heimdex.speech.languages import name_of
from heimdex.storage import media_storage
from videos.actions.edit_video import edit_video
from videos.cast import cast
from videos.models import Scene, Video
from videos.pages.stage_times import stage_rows
from videos.pages.standing import STAGE_WORDS, Standing
from videos.pages.times import clock, parse_seconds
from videos.search.who import Appearance, who_is_there
from videos.timelines import timeline_of

SCENES_PER_PAGE = 100


class VideoForm(forms.Form):
    """What a person may change of a video."""

    title = forms.CharField(max_length=300)
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))


@dataclass(frozen=True)
class SceneRow:
    """One scene in the list; an empty address means that it has no picture."""

    scene: Scene
    number: int
    start: str
    end: str
    thumbnail_url: str
    people: tuple[str, ...]


@dataclass(frozen=True)
class CastRow:
    """A person who appears in the video: the start of each stretch of scenes, as seconds and as people read it."""

    name: str
    scenes: int
    starts: tuple[tuple[float, str], ...]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def video_page(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Show a video from `?t=` seconds on, and take changes of its title and description."""
    said = Scene.objects.filter(video=OuterRef("pk")).exclude(transcript="")
    videos = Video.objects.defer("search_vector").select_related("metadata").prefetch_related("jobs").annotate(has_captions=Exists(said))
    video = get_object_or_404(videos, pk=video_id, owner=owner_of(request))
    if request.method == "POST":
        form = VideoForm(request.POST)
        if form.is_valid():
            edit_video(video, title=form.cleaned_data["title"], description=form.cleaned_data["description"])
            messages.success(request, "The changes are saved.")
            return redirect("video-page", video_id=video.pk)
    else:
        form = VideoForm(initial={"title": video.title, "description": video.description})
    start_s = parse_seconds(request.GET.get("t", ""))
    page = _scene_page(video, request.GET.get("scenes"), start_s)
    scenes = list(video.scenes.only("id", "video_id", "start_s", "end_s").order_by("index"))
    people = who_is_there().in_scenes(video.owner_id, [scene.pk for scene in scenes])
    context = {
        "video": video,
        "form": form,
        "standing": Standing.of(video),
        "stage_words": STAGE_WORDS,
        "facts": _facts(video),
        "chapters": [{**chapter, "start": clock(chapter["start_s"])} for chapter in video.chapters],
        "stages": stage_rows(video),
        "page": page,
        "people": _cast_rows(scenes, people),
        "scenes": [_scene_row(scene, people.get(scene.pk, ())) for scene in page],
        "timeline": timeline_of(video),
        **_file_addresses(video, start_s),
    }
    return render(request, "videos/video.html", context)


def _scene_page(video: Video, asked: str | None, start_s: float | None) -> Page[Scene]:
    """Return the asked page of scenes, or else the one that holds the scene at `start_s`."""
    scenes = video.scenes.defer("words", "search_vector", "visual_text").order_by("index")
    number: str | int | None = asked
    if asked is None and start_s is not None:
        begun = scenes.filter(start_s__lte=start_s).count()
        number = max(begun - 1, 0) // SCENES_PER_PAGE + 1
    return Paginator(scenes, SCENES_PER_PAGE).get_page(number)


def _cast_rows(scenes: Sequence[Scene], people: Mapping[UUID, Sequence[Appearance]]) -> list[CastRow]:
    return [
        CastRow(member.name, member.scenes, tuple((start, clock(start)) for start, _ in member.ranges)) for member in cast(scenes, people)
    ]


def _scene_row(scene: Scene, people: Sequence[Appearance]) -> SceneRow:
    thumbnail = media_storage().download_url(scene.thumbnail_key, settings.LINK_TTL_SECONDS) if scene.clip_hash else ""
    return SceneRow(scene, scene.index + 1, clock(scene.start_s), clock(scene.end_s), thumbnail, tuple(one.name for one in people))


def _file_addresses(video: Video, start_s: float | None) -> dict[str, str]:
    """Return where the player and a download find the file; nothing until it has been checked."""
    if video.state != Video.State.INDEXED:
        return {}
    storage, lifetime = media_storage(), settings.LINK_TTL_SECONDS
    # A media fragment (W3C Media Fragments URI 1.0): players begin there without any script.
    fragment = "" if start_s is None else f"#t={start_s:.2f}"
    return {
        "player_url": storage.download_url(video.original_key, lifetime) + fragment,
        "download_url": storage.download_url(video.original_key, lifetime, filename=video.filename),
    }


def _facts(video: Video) -> list[tuple[str, str]]:
    """Return what was measured, as pairs of label and value."""
    facts = [("File", video.filename), ("Size", filesizeformat(video.size_bytes))]
    if not hasattr(video, "metadata"):
        return facts
    found = video.metadata
    return [
        ("Duration", clock(found.duration_s)),
        ("Resolution", f"{found.width} × {found.height}, {found.fps:.4g} frames per second"),
        ("Codecs", f"{found.video_codec} (picture), {found.audio_codec or 'none'} (sound)"),
        ("Language", name_of(found.language) or found.speech_notice or "no speech recognised"),
        *facts,
    ]
