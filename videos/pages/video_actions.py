"""What an owner does with a video by a button: retry and delete."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from heimdex.accounts.owner import owner_of
from videos.actions.delete_video import delete_video
from videos.actions.errors import WrongState
from videos.actions.retry_video import retry_video
from videos.models import Video


@login_required
@require_POST
def retry(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Queue a failed video again and go back to where the button was."""
    try:
        video = retry_video(owner_of(request), video_id)
    except Video.DoesNotExist as error:
        raise Http404 from error
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{video.title}” is being processed again.")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("video-page", video_id=video_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Ask whether a video shall go, and delete it when the answer is yes."""
    video = get_object_or_404(Video.objects.defer("search_vector"), pk=video_id, owner=owner_of(request))
    if request.method == "POST":
        delete_video(video)
        messages.success(request, f"“{video.title}” is deleted.")
        return redirect("library")
    return render(request, "videos/delete.html", {"video": video, "scene_count": video.scenes.count()})
