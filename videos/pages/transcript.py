"""The page on which a scene's transcript is edited by browsers without scripts; others edit it on the video's page."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import owner_of
from videos.actions.edit_transcript import LONGEST_TRANSCRIPT, Outdated, edit_transcript
from videos.actions.errors import WrongState
from videos.models import Scene
from videos.pages.times import clock


class TranscriptForm(forms.Form):
    """What is said, and which text the change was made to."""

    text = forms.CharField(max_length=LONGEST_TRANSCRIPT, required=False, label="What is said", widget=forms.Textarea(attrs={"rows": 8}))
    version = forms.CharField(max_length=64, widget=forms.HiddenInput)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def transcript_page(request: HttpRequest, video_id: UUID, scene_id: UUID) -> HttpResponse:
    """Show the form; on POST save, or show the text that somebody else has written meanwhile beside one's own."""
    owner = owner_of(request)
    scene = get_object_or_404(
        Scene.objects.defer("words", "search_vector").select_related("video"), pk=scene_id, video=video_id, owner=owner
    )
    form = TranscriptForm(request.POST if request.method == "POST" else None, initial=_initial(scene))
    current = ""
    if request.method == "POST" and form.is_valid():
        try:
            edit_transcript(owner, video_id, scene_id, form.cleaned_data["text"], version=form.cleaned_data["version"])
        except WrongState as error:
            form.add_error(None, str(error))
        except Outdated as error:
            current = error.scene.transcript or "Nothing is said."
            form = TranscriptForm(initial={**_initial(error.scene), "text": form.cleaned_data["text"]})
        else:
            messages.success(request, f"The transcript of scene {scene.index + 1} is saved.")
            return redirect(f"{reverse('video-page', args=[video_id])}?t={scene.start_s:.2f}")
    times = f"{clock(scene.start_s)} – {clock(scene.end_s)}"
    context = {"form": form, "scene": scene, "number": scene.index + 1, "times": times, "current": current}
    return render(request, "videos/transcript.html", context, status=409 if current else 200)


def _initial(scene: Scene) -> dict[str, str]:
    return {"text": scene.transcript, "version": scene.transcript_version}
