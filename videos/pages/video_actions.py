"""The buttons of a video: retry and delete."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from heimdex.accounts.owner import get_owner
from heimdex.errors import WrongState
from videos.actions.videos import delete_video, retry_video
from videos.models import Video


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
    video = get_object_or_404(Video.objects.defer("search_vector"), pk=video_id, owner=get_owner(request))
    if request.method == "POST":
        delete_video(video)
        messages.success(request, f"Deleted “{video.title}”.")
        return redirect("library")
    return render(request, "videos/delete.html", {"video": video, "scene_count": video.scenes.count()})
