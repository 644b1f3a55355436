"""Judge a result of the search page."""

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from heimdex.accounts.owner import get_owner
from heimdex.errors import Refused
from videos.actions.judgments import judge_scene, withdraw_judgment
from videos.models import Scene
from videos.pages.search import SearchForm

FITS, OTHER, NONE = "fits", "other", "none"


class JudgmentForm(SearchForm):
    """An opinion on a scene for a query, and the page to return to."""

    scene = forms.UUIDField()
    opinion = forms.ChoiceField(choices=[(value, value) for value in (FITS, OTHER, NONE)])


@login_required
@require_POST
def judge_page(request: HttpRequest) -> HttpResponse:
    """Record or withdraw an opinion, and return to the scene on the search page."""
    form = JudgmentForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("Judge results with the buttons of the search page.")
    owner, text, scene_id = get_owner(request), form.cleaned_data["q"], form.cleaned_data["scene"]
    opinion = form.cleaned_data["opinion"]
    try:
        if opinion == NONE:
            withdraw_judgment(owner, text, scene_id)
        else:
            judge_scene(owner, text, scene_id, fits=opinion == FITS)
    except Scene.DoesNotExist as error:
        raise Http404 from error
    except Refused as error:
        messages.error(request, str(error))
    cursor = form.cleaned_data["cursor"]
    query = urlencode({"q": text, **({"cursor": cursor} if cursor else {})})
    return redirect(f"{reverse('search-page')}?{query}#scene-{scene_id}")
