"""The search page: a query, the scenes that match it, and why each does."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from heimdex.accounts.owner import owner_of
from heimdex.storage import media_storage
from videos.composition import clip_text
from videos.pages.times import clock
from videos.search.fusion import LEXICAL, ON_SCREEN
from videos.search.service import Hit, SearchAnswer, SearchRequest, search

PER_PAGE = 20
EXCERPT_LENGTH = 240
CHANNEL_WORDS = {
    "lexical": "words",
    "on_screen": "on screen",
    "transcript": "meaning of speech",
    "visual": "meaning of the description",
    "clip": "picture",
    "summary": "summary of the video",
    "person": "who is there",
}


class SearchForm(forms.Form):
    """What a person searches, and how many results they have seen already."""

    q = forms.CharField(max_length=1000)
    offset = forms.IntegerField(min_value=0, max_value=1_000_000, required=False)


@dataclass(frozen=True)
class Reason:
    """One channel that found the scene: its name in plain words, its rank there (from 1) and its score there."""

    channel: str
    rank: int
    score: str


@dataclass(frozen=True)
class Result:
    """One scene of the answer; `highlight` and `on_screen` are HTML in which only the words that matched are marked up."""

    hit: Hit
    start: str
    end: str
    thumbnail_url: str
    highlight: SafeString
    on_screen: SafeString
    excerpt: str
    reasons: tuple[Reason, ...]


@login_required
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Search the asking owner's scenes for `?q=`."""
    if not request.GET.get("q", "").strip():
        return render(request, "videos/search.html", {"form": SearchForm()})
    form = SearchForm(request.GET)
    if not form.is_valid():
        return render(request, "videos/search.html", {"form": form}, status=400)
    text, offset = form.cleaned_data["q"], form.cleaned_data["offset"] or 0
    answer = search(owner_of(request), SearchRequest(text, PER_PAGE, offset))
    return render(request, "videos/search.html", {"form": form, "query": text, **_answered(answer, offset)})


def _answered(answer: SearchAnswer, offset: int) -> dict[str, Any]:
    reached = offset + PER_PAGE
    return {
        "answer": answer,
        "results": [_result(hit) for hit in answer.hits],
        "first": offset + 1,
        "last": offset + len(answer.hits),
        "has_previous": offset > 0,
        "previous_offset": max(offset - PER_PAGE, 0) or None,
        "next_offset": reached if reached < answer.total else None,
    }


def _result(hit: Hit) -> Result:
    scene = hit.scene
    highlights = {match.channel: match.highlight for match in hit.matches}
    return Result(
        hit=hit,
        start=clock(scene.start_s),
        end=clock(scene.end_s),
        thumbnail_url=media_storage().download_url(scene.thumbnail_key, settings.LINK_TTL_SECONDS) if scene.clip_hash else "",
        # The search escapes everything but the marks.
        highlight=mark_safe(highlights.get(LEXICAL, "")),
        on_screen=mark_safe(highlights.get(ON_SCREEN, "")),
        excerpt=_excerpt(scene.transcript),
        reasons=tuple(Reason(CHANNEL_WORDS[match.channel], match.rank, f"{match.score:.3f}") for match in hit.matches),
    )


def _excerpt(transcript: str) -> str:
    clipped = clip_text(transcript, EXCERPT_LENGTH)
    return clipped if clipped == transcript else f"{clipped} …"
