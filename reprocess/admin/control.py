"""The admin buttons that pause, resume or cancel a run or retry its failures."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from heimdex.errors import WrongState
from reprocess.actions.runs import CONTROLS
from reprocess.models import ReprocessRun

MESSAGES = {
    "pause": "Run paused. Its workers stop after the current batch.",
    "resume": "Run resumed.",
    "cancel": "Run canceled. The vectors it has computed are kept.",
    "retry-failed": "Retrying the failures.",
}


def control_view(request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
    """Apply the control named `name` to a run, then redirect to the run's page."""
    if name not in CONTROLS:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    run = get_object_or_404(ReprocessRun, pk=run_id)
    try:
        CONTROLS[name](run.pk)
    except WrongState as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, MESSAGES[name])
    return HttpResponseRedirect(reverse("admin:reprocess_reprocessrun_change", args=[run.pk]))
