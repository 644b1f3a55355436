"""Answer a search: ask every channel, fuse, and say why each scene matched."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from heimdex.accounts.models import User
from videos.models import Scene, Video
from videos.search.fusion import Fused, fuse, limit_per_video
from videos.search.lexical import SAID_AND_SEEN, WRITTEN, highlights, lexical_pools
from videos.search.queries import record_query
from videos.search.vectors import active_spaces, vector_pools

# How many scenes each channel may bring in before fusion.
POOL = 200
# How many scenes of one video an answer holds unless told.
PER_VIDEO = 10


@dataclass(frozen=True)
class SearchRequest:
    """What is searched, and which part of the answer is wanted."""

    text: str
    limit: int = 20
    offset: int = 0
    per_video: int = PER_VIDEO
    video_id: UUID | None = None


@dataclass(frozen=True)
class Match:
    """Why a scene is in the answer: a channel, its rank there (from 1), its score there, and an excerpt for words (HTML)."""

    channel: str
    rank: int
    score: float
    highlight: str = ""


@dataclass(frozen=True)
class Hit:
    """One scene of the answer."""

    scene: Scene
    score: float
    matches: tuple[Match, ...]


@dataclass(frozen=True)
class SearchAnswer:
    """A page of hits, how many there are in all, and what a person should know of channels that were left out."""

    hits: tuple[Hit, ...]
    total: int
    notices: tuple[str, ...]


def search(owner: User, request: SearchRequest) -> SearchAnswer:
    """Search an owner's indexed scenes; never another's."""
    scenes = searchable(owner.pk)
    if request.video_id:
        scenes = scenes.filter(video_id=request.video_id)
    spaces = active_spaces(owner.pk)
    vectors = vector_pools(scenes, owner.pk, spaces, request.text, POOL, narrowed=request.video_id is not None)
    fused = limit_per_video(fuse([*lexical_pools(scenes, owner.pk, request.text, POOL), *vectors.of(spaces)]), request.per_video)
    if request.offset == 0:
        record_query(owner.pk, request.text)
    page = fused[request.offset : request.offset + request.limit]
    return SearchAnswer(tuple(_hits(page, request.text)), len(fused), tuple(vectors.notices))


def searchable(owner_id: UUID) -> QuerySet[Scene]:
    """Return the scenes that an owner's search may find."""
    return Scene.objects.filter(owner_id=owner_id, video__state=Video.State.INDEXED)


def _hits(page: list[Fused], text: str) -> list[Hit]:
    by_id = Scene.objects.select_related("video").defer("words").in_bulk([entry.scene_id for entry in page])
    excerpts = {channel.name: highlights(_found_by(channel.name, page), text, channel) for channel in (SAID_AND_SEEN, WRITTEN)}
    hits = []
    for entry in page:
        # A scene that was deleted since the channels were asked has no row any more.
        if scene := by_id.get(entry.scene_id):
            matches = tuple(
                Match(place.channel, place.rank, place.score, excerpts.get(place.channel, {}).get(entry.scene_id, ""))
                for place in entry.because
            )
            hits.append(Hit(scene, entry.score, matches))
    return hits


def _found_by(channel: str, page: list[Fused]) -> list[UUID]:
    return [entry.scene_id for entry in page if any(place.channel == channel for place in entry.because)]
