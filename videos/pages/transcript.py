"""The page that edits a scene's transcript in browsers without JavaScript. Others edit it on the video's page."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import get_owner
from heimdex.errors import WrongState
from videos.actions.transcripts import TRANSCRIPT_MAX_LENGTH, TranscriptChanged, edit_transcript
from videos.models import Scene
from videos.times import format_time


class TranscriptForm(forms.Form):
    """A transcript, and the version of the text that the edit is based on."""

    text = forms.CharField(max_length=TRANSCRIPT_MAX_LENGTH, required=False, label="Transcript", widget=forms.Textarea(attrs={"rows": 8}))
    version = forms.CharField(max_length=64, widget=forms.HiddenInput)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def transcript_page(request: HttpRequest, video_id: UUID, scene_id: UUID) -> HttpResponse:
    """Show the form. On POST save the text, or show the current text beside it when another edit came first."""
    owner = get_owner(request)
    scene = get_object_or_404(Scene.objects.defer("words").select_related("video"), pk=scene_id, video=video_id, owner=owner)
    form = TranscriptForm(request.POST if request.method == "POST" else None, initial=_get_initial(scene))
    current = ""
    if request.method == "POST" and form.is_valid():
        try:
            edit_transcript(owner, video_id, scene_id, form.cleaned_data["text"], version=form.cleaned_data["version"])
        except WrongState as error:
            form.add_error(None, str(error))
        except TranscriptChanged as error:
            current = error.scene.transcript or "No speech"
            form = TranscriptForm(initial={**_get_initial(error.scene), "text": form.cleaned_data["text"]})
        else:
            messages.success(request, f"Saved the transcript of scene {scene.index + 1}.")
            return redirect(f"{reverse('video-page', args=[video_id])}?t={scene.start_s:.2f}")
    times = f"{format_time(scene.start_s)} – {format_time(scene.end_s)}"
    context = {"form": form, "scene": scene, "number": scene.index + 1, "times": times, "current": current}
    return render(request, "videos/transcript.html", context, status=409 if current else 200)


def _get_initial(scene: Scene) -> dict[str, str]:
    return {"text": scene.transcript, "version": scene.transcript_version}
