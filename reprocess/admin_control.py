"""The admin's buttons that pause, resume, cancel a run or retry its failures."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from reprocess.actions.control import CONTROLS
from reprocess.actions.errors import WrongState
from reprocess.models import ReprocessRun

DONE = {
    "pause": "The run is paused; its workers stop at the next border between batches.",
    "resume": "The run goes on.",
    "cancel": "The run is cancelled; what it has computed stays.",
    "retry-failed": "What failed is being computed again.",
}


def control_view(request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
    """Do what the button says, then lead back to the run."""
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
        messages.success(request, DONE[name])
    return HttpResponseRedirect(reverse("admin:reprocess_reprocessrun_change", args=[run.pk]))
