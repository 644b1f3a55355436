"""Answer a search: query every channel, fuse the results, and explain why each scene matched."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from heimdex.accounts.models import User
from heimdex.database.time_budget import UNLIMITED, TimeBudget, TimeBudgetExceeded
from videos.channels import PERSON
from videos.models import Scene
from videos.registry import get_people_search
from videos.search.fusion import FusedScene, RankedScene, fuse, limit_per_video, rank_scenes
from videos.search.lexical.base import LEXICAL_CHANNELS, LexicalQuery, LexicalUnavailable
from videos.search.lexical.handler import get_lexical_backend
from videos.search.people_backend import Appearance
from videos.search.recorded_queries import record_query
from videos.search.vectors import LEFT_OUT, TOO_SLOW, list_active_spaces, search_spaces

# The number of scenes that each channel contributes at most.
POOL_SIZE = 200
# The default number of scenes per video in an answer.
MAX_PER_VIDEO = 10
WORDS_LEFT_OUT = "The search for words was left out: {reason}"


@dataclass(frozen=True)
class SearchRequest:
    """A query, and the part of the answer that is requested.

    `text` may contain `@name`s. With people, search only scenes that show any of them, or, with `every_person`, all of them.
    With `ranking_only`, for measurements, the query is not recorded, its time is not limited, and hits have neither excerpts nor people.
    """

    text: str
    limit: int = 20
    offset: int = 0
    per_video: int = MAX_PER_VIDEO
    video_id: UUID | None = None
    person_ids: tuple[UUID, ...] = ()
    every_person: bool = False
    ranking_only: bool = False


@dataclass(frozen=True)
class Match:
    """A channel that found the scene: the scene's rank (from 1) and score in it, and an HTML excerpt of the matching words."""

    channel: str
    rank: int
    score: float
    highlight: str = ""


@dataclass(frozen=True)
class Hit:
    """A scene of the answer, and the people in it."""

    scene: Scene
    score: float
    matches: tuple[Match, ...]
    people: tuple[Appearance, ...] = ()


@dataclass(frozen=True)
class SearchAnswer:
    """A page of hits, the total number of hits, and a sentence for each channel that was left out."""

    hits: tuple[Hit, ...]
    total: int
    notices: tuple[str, ...]


def search(owner: User, request: SearchRequest) -> SearchAnswer:
    """Search an owner's indexed scenes. The names of people are neither recorded nor sent to a model.

    Channels are left out whose statements do not end within SEARCH_SECONDS.
    """
    query = get_people_search().parse_query(owner.pk, request.text)
    person_ids = tuple(dict.fromkeys((*request.person_ids, *query.person_ids)))
    scenes = Scene.objects.filter_searchable(owner.pk)
    if request.video_id:
        scenes = scenes.filter(video_id=request.video_id)
    budget = UNLIMITED if request.ranking_only else TimeBudget(settings.SEARCH_SECONDS)
    pools: list[list[RankedScene]] = []
    notices = list(query.notices)
    with_people: QuerySet[Scene] | None = None
    if person_ids:
        matches = get_people_search().filter_scenes(scenes, owner.pk, person_ids, every=request.every_person)
        try:
            with budget.limit_statements():
                pools.append(_rank_by_probability(matches))
        except TimeBudgetExceeded:
            notices.append(LEFT_OUT.format(channel=PERSON, reason=TOO_SLOW))
        with_people = Scene.objects.filter_searchable(owner.pk).filter(pk__in=matches.values("pk"))
        scenes = with_people
    if query.text:
        spaces = list_active_spaces(owner.pk)
        is_restricted = bool(request.video_id or person_ids)
        # Words come first: they take the least time, and stay found when vectors take too long.
        try:
            with budget.limit_statements():
                pools += search_words(LexicalQuery(owner.pk, query.text, POOL_SIZE, request.video_id, with_people))
        except LexicalUnavailable as error:
            notices.append(WORDS_LEFT_OUT.format(reason=error))
        except TimeBudgetExceeded:
            notices.append(WORDS_LEFT_OUT.format(reason=TOO_SLOW))
        vectors = search_spaces(scenes, owner.pk, spaces, query.text, POOL_SIZE, is_restricted=is_restricted, budget=budget)
        pools += vectors.select(spaces)
        notices += vectors.notices
        if request.offset == 0 and not request.ranking_only:
            record_query(owner.pk, query.text)
    fused = limit_per_video(fuse(pools), request.per_video)
    page = fused[request.offset : request.offset + request.limit]
    hits = _build_bare_hits(page) if request.ranking_only else _build_hits(owner.pk, page, query.text)
    return SearchAnswer(tuple(hits), len(fused), tuple(notices))


def describe_hit(hit: Hit) -> dict[str, Any]:
    """Return the fields of a hit that the API and the command `search` show."""
    scene = hit.scene
    return {
        "scene_id": scene.pk,
        "video_id": scene.video_id,
        "title": scene.video.title,
        "start_s": scene.start_s,
        "end_s": scene.end_s,
        "score": hit.score,
        "transcript": scene.transcript,
        "description": scene.description,
        "on_screen_text": scene.on_screen_text,
        "matches": [asdict(match) for match in hit.matches],
    }


def search_words(query: LexicalQuery) -> list[list[RankedScene]]:
    """Return the ranked scenes of each lexical channel. Raise LexicalUnavailable when the backend cannot be reached."""
    matches = get_lexical_backend().search(query)
    return [rank_scenes(channel, matches.get(channel, ())) for channel in LEXICAL_CHANNELS]


def _rank_by_probability(scenes: QuerySet[Any]) -> list[RankedScene]:
    rows = scenes.order_by("-probability", "video__created_at", "index").values_list("pk", "video_id", "probability")[:POOL_SIZE]
    return rank_scenes(PERSON, rows)


def _build_hits(owner_id: UUID, page: list[FusedScene], text: str) -> list[Hit]:
    by_id = Scene.objects.select_related("video").defer("words").in_bulk([fused.scene_id for fused in page])
    people = get_people_search().list_appearances(owner_id, list(by_id))
    excerpts = _highlight(page, text)
    hits = []
    for fused in page:
        # A scene may be deleted during the search.
        if scene := by_id.get(fused.scene_id):
            matches = tuple(
                Match(rank.channel, rank.rank, rank.score, excerpts.get(rank.channel, {}).get(fused.scene_id, "")) for rank in fused.ranks
            )
            hits.append(Hit(scene, fused.score, matches, tuple(people.get(fused.scene_id, ()))))
    return hits


def _build_bare_hits(page: list[FusedScene]) -> list[Hit]:
    by_id = Scene.objects.only("video_id", "index").in_bulk([fused.scene_id for fused in page])
    return [
        Hit(by_id[fused.scene_id], fused.score, tuple(Match(rank.channel, rank.rank, rank.score) for rank in fused.ranks))
        for fused in page
        if fused.scene_id in by_id
    ]


def _highlight(page: list[FusedScene], text: str) -> dict[str, dict[UUID, str]]:
    try:
        return {channel: get_lexical_backend().highlight(_list_matched_by(channel, page), text, channel) for channel in LEXICAL_CHANNELS}
    except LexicalUnavailable:
        # The backend failed after the search. Show the scenes without excerpts.
        return {}


def _list_matched_by(channel: str, page: list[FusedScene]) -> list[UUID]:
    return [fused.scene_id for fused in page if any(rank.channel == channel for rank in fused.ranks)]
