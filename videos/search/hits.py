"""Load the scenes of a page with the reasons why they matched, and describe them as data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from videos.models import Scene
from videos.registry import get_people_search
from videos.search.fusion import FusedScene
from videos.search.lexical.base import LEXICAL_CHANNELS, LexicalUnavailable
from videos.search.lexical.handler import get_lexical_backend
from videos.search.people_backend import Appearance
from videos.search.ranking_model import get_ranking_model


@dataclass(frozen=True)
class Match:
    """A channel that found the scene: the scene's rank (from 1) and score in it, an HTML excerpt of the matching words, and the amount of
    evidence from which the scene's score is computed."""

    channel: str
    rank: int
    score: float
    highlight: str = ""
    certainty: float = 0.0
    evidence: float = 0.0


@dataclass(frozen=True)
class Hit:
    """A scene of the answer, the people in it, the scene that follows, if the query asks for one after the other, and the probability that
    the scene answers the query (0 when scenes are listed without a query)."""

    scene: Scene
    score: float
    matches: tuple[Match, ...]
    people: tuple[Appearance, ...] = ()
    next_scene: Scene | None = None
    probability: float = 0.0


def build_hits(
    owner_id: UUID, page: Sequence[FusedScene], text: str, next_scenes: Mapping[UUID, UUID], corrected: Collection[str] = ()
) -> list[Hit]:
    """Return the hits of a page with excerpts and people, with a constant number of queries. Excerpts mark the `corrected` words, too."""
    ids = {fused.scene_id for fused in page}
    by_id = Scene.objects.select_related("video").defer("words").in_bulk(ids | {next_scenes[key] for key in ids & next_scenes.keys()})
    people = get_people_search().list_appearances(owner_id, ids)
    excerpts = _highlight(page, text, corrected)
    model = get_ranking_model()
    hits = []
    for fused in page:
        # A scene may be deleted during the search.
        if scene := by_id.get(fused.scene_id):
            matches = tuple(
                Match(
                    rank.channel,
                    rank.rank,
                    rank.score,
                    excerpts.get(rank.channel, {}).get(fused.scene_id, ""),
                    rank.certainty,
                    model.measure(rank.channel, rank.certainty),
                )
                for rank in fused.matches
            )
            next_scene = by_id.get(next_scenes[scene.pk]) if scene.pk in next_scenes else None
            hits.append(Hit(scene, fused.score, matches, tuple(people.get(fused.scene_id, ())), next_scene, fused.probability))
    return hits


def build_bare_hits(page: Sequence[FusedScene]) -> list[Hit]:
    """Return the hits of a page without excerpts and people."""
    by_id = Scene.objects.only("video_id", "index").in_bulk([fused.scene_id for fused in page])
    return [
        Hit(
            by_id[fused.scene_id],
            fused.score,
            tuple(Match(rank.channel, rank.rank, rank.score, certainty=rank.certainty) for rank in fused.matches),
            probability=fused.probability,
        )
        for fused in page
        if fused.scene_id in by_id
    ]


def describe_hit(hit: Hit, *, with_evidence: bool = False) -> dict[str, Any]:
    """Return the fields of a hit that the API and the command `search` show."""
    scene = hit.scene
    return {
        "scene_id": scene.pk,
        "video_id": scene.video_id,
        "title": scene.video.title,
        "start_s": scene.start_s,
        "end_s": scene.end_s,
        "score": hit.score,
        "probability": round(hit.probability, 3),
        "strength": get_ranking_model().label(hit.probability) if hit.matches else None,
        "transcript": scene.transcript,
        "description": scene.description,
        "on_screen_text": scene.on_screen_text,
        "matches": [_describe_match(match, with_evidence=with_evidence) for match in hit.matches],
        "next_scene": hit.next_scene and {key: getattr(hit.next_scene, key) for key in ("id", "start_s", "end_s")},
    }


def _describe_match(match: Match, *, with_evidence: bool) -> dict[str, Any]:
    data = asdict(match)
    if not with_evidence:
        del data["certainty"], data["evidence"]
    return data


def _highlight(page: Sequence[FusedScene], text: str, corrected: Collection[str]) -> dict[str, dict[UUID, str]]:
    backend = get_lexical_backend()
    try:
        return {channel: backend.highlight(_list_matched_by(channel, page), text, channel, corrected) for channel in LEXICAL_CHANNELS}
    except LexicalUnavailable:
        # The backend failed after the search. Show the scenes without excerpts.
        return {}


def _list_matched_by(channel: str, page: Sequence[FusedScene]) -> list[UUID]:
    return [fused.scene_id for fused in page if any(rank.channel == channel for rank in fused.matches)]
