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
from videos.actions.judgments import find_judgments
from videos.channels import LEXICAL, ON_SCREEN, get_channel
from videos.embedding_texts import clip_text
from videos.search.service import Hit, SearchAnswer, SearchRequest, search
from videos.times import format_time

PER_PAGE = 20
EXCERPT_LENGTH = 240


class SearchForm(forms.Form):
    """A query, and the number of results to skip."""

    q = forms.CharField(max_length=1000, label="Query")
    offset = forms.IntegerField(min_value=0, max_value=1_000_000, required=False)


@dataclass(frozen=True)
class MatchReason:
    """A channel that found the scene: its label, and the scene's rank (from 1) and score in it."""

    channel: str
    rank: int
    score: str


@dataclass(frozen=True)
class SearchResult:
    """A scene of the answer. `highlight` and `on_screen` are HTML in which only the matching words are marked up."""

    hit: Hit
    start: str
    end: str
    thumbnail_url: str
    highlight: SafeString
    on_screen: SafeString
    excerpt: str
    reasons: tuple[MatchReason, ...]
    # What the owner has judged for this query: whether the scene fits, or None.
    fits: bool | None


@login_required
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Search the user's scenes for `?q=`."""
    if not request.GET.get("q", "").strip():
        return render(request, "videos/search.html", {"form": SearchForm()})
    form = SearchForm(request.GET)
    if not form.is_valid():
        return render(request, "videos/search.html", {"form": form}, status=400)
    text, offset = form.cleaned_data["q"], form.cleaned_data["offset"] or 0
    owner = get_owner(request)
    spend("search", owner.pk)
    answer = search(owner, SearchRequest(text, PER_PAGE, offset))
    judged = find_judgments(owner, text, [hit.scene.pk for hit in answer.hits])
    return render(request, "videos/search.html", {"form": form, "query": text, **_build_context(answer, offset, judged)})


def _build_context(answer: SearchAnswer, offset: int, judged: Mapping[UUID, bool]) -> dict[str, Any]:
    end = offset + PER_PAGE
    return {
        "answer": answer,
        "results": [_build_result(hit, judged.get(hit.scene.pk)) for hit in answer.hits],
        "offset": offset,
        "first": offset + 1,
        "last": offset + len(answer.hits),
        "has_previous": offset > 0,
        "previous_offset": max(offset - PER_PAGE, 0) or None,
        "next_offset": end if end < answer.total else None,
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
        fits=fits,
    )


def _clip_excerpt(transcript: str) -> str:
    clipped = clip_text(transcript, EXCERPT_LENGTH)
    return clipped if clipped == transcript else f"{clipped} …"
