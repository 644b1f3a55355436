"""The page on which an owner turns face recognition on or off."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from heimdex.errors import WrongState
from people.face_settings import build_face_settings_context, get_faces_disabled_reason
from people.models import Person, PersonPhoto, SceneFace
from reprocess.actions.faces import turn_faces_off, turn_faces_on
from reprocess.models import ReprocessRun

OFF = "Face recognition is off. All people, photos and faces were erased."
ON = "Face recognition is on. Heimdex now looks for faces in all your videos."
ON_ALREADY = "Face recognition is already on."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def faces_page(request: HttpRequest) -> HttpResponse:
    """Explain the setting. On POST, turn face recognition off (`find_faces=0`) or on (`find_faces=1`) for the user.

    Return 400 for a POST without either value.
    """
    owner, find_faces = get_owner(request), request.POST.get("find_faces")
    if find_faces == "0":
        turn_faces_off(owner.pk)
        messages.success(request, OFF)
        return redirect("people")
    if find_faces == "1":
        _turn_on(request, owner)
        return redirect("people")
    context = {
        **build_face_settings_context(owner),
        "people": Person.objects.filter(owner=owner).count(),
        "photos": PersonPhoto.objects.filter(owner=owner).count(),
        "faces": SceneFace.objects.filter(owner=owner).count(),
    }
    return render(request, "reprocess/faces.html", context, status=400 if request.method == "POST" else 200)


def _turn_on(request: HttpRequest, owner: User) -> None:
    if not get_faces_disabled_reason(owner):
        messages.info(request, ON_ALREADY)
        return
    try:
        turn_faces_on(owner, entry_point=ReprocessRun.EntryPoint.OWNER, requested_by=owner)
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, ON)
