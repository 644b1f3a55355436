"""Answer a search: ask every channel, fuse, and say why each scene matched."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from heimdex.accounts.models import User
from videos.models import Scene, Video
from videos.search.fusion import PERSON, Fused, Ranked, fuse, limit_per_video, ranked
from videos.search.lexical import SAID_AND_SEEN, WRITTEN, highlights, lexical_pools
from videos.search.queries import record_query
from videos.search.vectors import active_spaces, vector_pools
from videos.search.who import Appearance, who_is_there

# How many scenes each channel may bring in before fusion.
POOL = 200
# How many scenes of one video an answer holds unless told.
PER_VIDEO = 10


@dataclass(frozen=True)
class SearchRequest:
    """What is searched, and which part of the answer is wanted.

    `text` may hold `@name`s. With people, only scenes with any of them are found, or with `every_person` those with all of them.
    """

    text: str
    limit: int = 20
    offset: int = 0
    per_video: int = PER_VIDEO
    video_id: UUID | None = None
    person_ids: tuple[UUID, ...] = ()
    every_person: bool = False


@dataclass(frozen=True)
class Match:
    """Why a scene is in the answer: a channel, its rank there (from 1), its score there, and an excerpt for words (HTML)."""

    channel: str
    rank: int
    score: float
    highlight: str = ""


@dataclass(frozen=True)
class Hit:
    """One scene of the answer, and who is in it."""

    scene: Scene
    score: float
    matches: tuple[Match, ...]
    people: tuple[Appearance, ...] = ()


@dataclass(frozen=True)
class SearchAnswer:
    """A page of hits, how many there are in all, and what a person should know of channels that were left out."""

    hits: tuple[Hit, ...]
    total: int
    notices: tuple[str, ...]


def search(owner: User, request: SearchRequest) -> SearchAnswer:
    """Search an owner's indexed scenes; never another's. The names of people are sent to no model, and are not recorded."""
    asked = who_is_there().read(owner.pk, request.text)
    person_ids = tuple(dict.fromkeys((*request.person_ids, *asked.person_ids)))
    scenes = searchable(owner.pk)
    if request.video_id:
        scenes = scenes.filter(video_id=request.video_id)
    pools: list[list[Ranked]] = []
    notices = list(asked.notices)
    if person_ids:
        with_people = who_is_there().with_people(scenes, owner.pk, person_ids, every=request.every_person)
        pools.append(_surest(with_people))
        scenes = searchable(owner.pk).filter(pk__in=with_people.values("pk"))
    if asked.text:
        spaces = active_spaces(owner.pk)
        vectors = vector_pools(scenes, owner.pk, spaces, asked.text, POOL, narrowed=bool(request.video_id or person_ids))
        pools += [*lexical_pools(scenes, owner.pk, asked.text, POOL), *vectors.of(spaces)]
        notices += vectors.notices
        if request.offset == 0:
            record_query(owner.pk, asked.text)
    fused = limit_per_video(fuse(pools), request.per_video)
    page = fused[request.offset : request.offset + request.limit]
    return SearchAnswer(tuple(_hits(owner.pk, page, asked.text)), len(fused), tuple(notices))


def searchable(owner_id: UUID) -> QuerySet[Scene]:
    """Return the scenes that an owner's search may find."""
    return Scene.objects.filter(owner_id=owner_id, video__state=Video.State.INDEXED)


def _surest(with_people: QuerySet[Any]) -> list[Ranked]:
    """Return the scenes in which the people are, the surest first."""
    rows = with_people.order_by("-probability", "video__created_at", "index").values_list("pk", "video_id", "probability")[:POOL]
    return ranked(PERSON, rows)


def _hits(owner_id: UUID, page: list[Fused], text: str) -> list[Hit]:
    by_id = Scene.objects.select_related("video").defer("words").in_bulk([entry.scene_id for entry in page])
    people = who_is_there().in_scenes(owner_id, list(by_id))
    excerpts = {channel.name: highlights(_found_by(channel.name, page), text, channel) for channel in (SAID_AND_SEEN, WRITTEN)}
    hits = []
    for entry in page:
        # A scene that was deleted since the channels were asked has no row any more.
        if scene := by_id.get(entry.scene_id):
            matches = tuple(
                Match(place.channel, place.rank, place.score, excerpts.get(place.channel, {}).get(entry.scene_id, ""))
                for place in entry.because
            )
            hits.append(Hit(scene, entry.score, matches, tuple(people.get(entry.scene_id, ()))))
    return hits


def _found_by(channel: str, page: list[Fused]) -> list[UUID]:
    return [entry.scene_id for entry in page if any(place.channel == channel for place in entry.because)]
