"""The page on which an owner says whether faces are to be looked for in their videos."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from heimdex.accounts.models import User
from heimdex.accounts.owner import owner_of
from people.models import Person, PersonPhoto, SceneFace
from people.switch import switch_context, why_no_faces
from reprocess.actions.errors import WrongState
from reprocess.actions.switch_faces import switch_faces_off, switch_faces_on
from reprocess.models import ReprocessRun

OFF = "Faces are switched off, and what was known of them is erased."
ON = "Faces are switched on. They are looked for in the videos that are there, and in those that come."
ON_ALREADY = "Faces are looked for in your videos already."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def faces_page(request: HttpRequest) -> HttpResponse:
    """Explain what the switch does, and ask; on POST switch faces off (`find_faces=0`) or on (`find_faces=1`) for who asks."""
    owner, wanted = owner_of(request), request.POST.get("find_faces")
    if wanted == "0":
        switch_faces_off(owner.pk)
        messages.success(request, OFF)
        return redirect("people")
    if wanted == "1":
        _switch_on(request, owner)
        return redirect("people")
    context = {
        **switch_context(owner),
        "people": Person.objects.filter(owner=owner).count(),
        "photos": PersonPhoto.objects.filter(owner=owner).count(),
        "faces": SceneFace.objects.filter(owner=owner).count(),
    }
    return render(request, "reprocess/faces.html", context, status=400 if request.method == "POST" else 200)


def _switch_on(request: HttpRequest, owner: User) -> None:
    if not why_no_faces(owner):
        messages.info(request, ON_ALREADY)
        return
    try:
        switch_faces_on(owner, entrance=ReprocessRun.Entrance.OWNER, requested_by=owner)
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, ON)
