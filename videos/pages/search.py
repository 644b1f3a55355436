"""The search page: a query, and the scenes that match it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import spend
from heimdex.errors import Refused
from videos.actions.judgments import find_judgments
from videos.channels import LEXICAL, ON_SCREEN, get_channel
from videos.embedding_texts import clip_text
from videos.search.cursors import MAX_CURSOR_LENGTH
from videos.search.modes import Kind
from videos.search.ranking_model import get_ranking_model
from videos.search.service import Hit, SearchAnswer, SearchRequest, search
from videos.times import format_time

PER_PAGE = 20
STRENGTHS = {"strong": "Strong", "likely": "Likely", "weak": "Weak"}
MOMENT_LABELS = {Kind.SPOKEN: "said", Kind.SHOWN: "shown", Kind.ON_SCREEN: "on screen", Kind.PEOPLE: "person"}
EXCERPT_LENGTH = 240


class SearchForm(forms.Form):
    """A query, and where the page starts."""

    q = forms.CharField(max_length=1000, label="Query")
    cursor = forms.CharField(max_length=MAX_CURSOR_LENGTH, required=False, widget=forms.HiddenInput, label="Page")


@dataclass(frozen=True)
class MatchReason:
    """A channel that found the scene: its label, and the scene's rank (from 1) and score in it."""

    channel: str
    rank: int
    score: str


@dataclass(frozen=True)
class MomentLink:
    """A moment inside the scene: its time in seconds and as text, what is evidence there, and its words."""

    time_s: float
    start: str
    label: str
    text: str


@dataclass(frozen=True)
class SearchResult:
    """A scene of the answer. `highlight` and `on_screen` are HTML in which only the matching words are marked up.

    `passage` is the time of its passage as text, or empty.
    """

    hit: Hit
    start: str
    end: str
    thumbnail_url: str
    highlight: SafeString
    on_screen: SafeString
    excerpt: str
    reasons: tuple[MatchReason, ...]
    strength: str
    # How probably the scene answers the query.
    percent: str
    # What the owner has judged for this query: whether the scene fits, or None.
    fits: bool | None
    moments: tuple[MomentLink, ...]
    passage: str
    next_scene_start: str


@login_required
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Search the user's scenes for `?q=`."""
    if not request.GET.get("q", "").strip():
        return render(request, "videos/search.html", {"form": SearchForm()})
    form = SearchForm(request.GET)
    if not form.is_valid():
        return render(request, "videos/search.html", {"form": form}, status=400)
    text = form.cleaned_data["q"]
    owner = get_owner(request)
    spend("search", owner.pk)
    try:
        answer = search(owner, SearchRequest(text, PER_PAGE, join=True, cursor=form.cleaned_data["cursor"]))
    except Refused as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return render(request, "videos/search.html", {"form": form}, status=400)
    judged = find_judgments(owner, text, [hit.scene.pk for hit in answer.hits])
    shown = {"form": form, "query": text, "cursor": form.cleaned_data["cursor"]}
    return render(request, "videos/search.html", shown | _build_context(answer, judged))


def _build_context(answer: SearchAnswer, judged: Mapping[UUID, bool]) -> dict[str, Any]:
    return {
        "answer": answer,
        "results": [_build_result(hit, judged.get(hit.scene.pk)) for hit in answer.hits],
        "first": answer.offset + 1,
        "last": answer.offset + len(answer.hits),
    }


def _build_result(hit: Hit, fits: bool | None) -> SearchResult:
    scene = hit.scene
    highlights = {match.channel: match.highlight for match in hit.matches}
    return SearchResult(
        hit=hit,
        start=format_time(scene.start_s),
        end=format_time(scene.end_s),
        thumbnail_url=scene.thumbnail_url,
        # The search escapes everything but the marks.
        highlight=mark_safe(highlights.get(LEXICAL, "")),
        on_screen=mark_safe(highlights.get(ON_SCREEN, "")),
        excerpt=_clip_excerpt(scene.transcript),
        reasons=tuple(MatchReason(get_channel(match.channel).display_label, match.rank, f"{match.score:.3f}") for match in hit.matches),
        strength=STRENGTHS[get_ranking_model().label(hit.probability)],
        percent=f"{100 * hit.probability:.0f}",
        fits=fits,
        moments=tuple(
            MomentLink(moment.time_s, format_time(moment.time_s), MOMENT_LABELS[moment.kind], moment.text) for moment in hit.moments
        ),
        passage=f"{format_time(hit.passage.start_s)} – {format_time(hit.passage.end_s)}" if hit.passage else "",
        next_scene_start=format_time(hit.next_scene.start_s) if hit.next_scene else "",
    )


def _clip_excerpt(transcript: str) -> str:
    clipped = clip_text(transcript, EXCERPT_LENGTH)
    return clipped if clipped == transcript else f"{clipped} …"
