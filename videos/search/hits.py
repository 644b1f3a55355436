"""Load the scenes of a page with the reasons why they matched, and describe them as data."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from videos.embedding_texts import SceneSpeech
from videos.models import Scene
from videos.registry import get_people_search
from videos.search.answer_page import AnswerPage
from videos.search.fusion import FusedScene
from videos.search.lexical.base import LEXICAL_CHANNELS, Excerpt, LexicalUnavailable
from videos.search.lexical.handler import get_lexical_backend
from videos.search.moments import Moment, find_moments
from videos.search.passages import Passage
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
    the scene answers the query (0 when scenes are listed without a query).

    `moments` are in order of time. `passage` has the scene and its neighbors, where these answer the query too.
    """

    scene: Scene
    score: float
    matches: tuple[Match, ...]
    people: tuple[Appearance, ...] = ()
    next_scene: Scene | None = None
    probability: float = 0.0
    moments: tuple[Moment, ...] = ()
    best_moment: Moment | None = None
    passage: Passage | None = None

    @property
    def play_from_s(self) -> float:
        """Where a player should start: at the best moment, or else where the scene starts."""
        return self.best_moment.time_s if self.best_moment else self.scene.start_s


def build_hits(owner_id: UUID, page: AnswerPage, text: str, corrected: Collection[str] = ()) -> list[Hit]:
    """Return the hits of a page with excerpts, moments, people and passages, with a constant number of queries.

    Excerpts mark the `corrected` words, too.
    """
    ids = {fused.scene_id for fused in page.scenes}
    next_ids = {page.next_scenes[key] for key in ids & page.next_scenes.keys()}
    by_id = Scene.objects.select_related("video").in_bulk(ids | next_ids)
    people = get_people_search().list_appearances(owner_id, ids)
    excerpts = _highlight(page.scenes, text, corrected)
    passages = _load_passages(owner_id, [page.passages[key] for key in ids & page.passages.keys()])
    hits = []
    for fused in page.scenes:
        # A scene may be deleted during the search.
        if scene := by_id.get(fused.scene_id):
            appearances = tuple(people.get(scene.pk, ()))
            moments = find_moments(
                SceneSpeech.from_scene(scene),
                scene.keyframe_time_s,
                [rank.channel for rank in fused.matches],
                excerpts.get(scene.pk, {}),
                [person for person in appearances if person.person_id in page.person_ids],
            )
            hits.append(
                Hit(
                    scene,
                    fused.score,
                    _build_matches(fused, excerpts.get(scene.pk, {})),
                    appearances,
                    by_id.get(page.next_scenes[scene.pk]) if scene.pk in page.next_scenes else None,
                    fused.probability,
                    tuple(sorted(moments, key=lambda moment: moment.time_s)),
                    moments[0] if moments else None,
                    passages.get(scene.pk),
                )
            )
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
        "play_from_s": hit.play_from_s,
        "moments": [moment._asdict() for moment in hit.moments],
        "passage": asdict(hit.passage) if hit.passage else None,
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


def _build_matches(fused: FusedScene, excerpts: Mapping[str, Excerpt]) -> tuple[Match, ...]:
    model = get_ranking_model()
    return tuple(
        Match(
            rank.channel,
            rank.rank,
            rank.score,
            excerpts[rank.channel].html if rank.channel in excerpts else "",
            rank.certainty,
            model.measure(rank.channel, rank.certainty),
        )
        for rank in fused.matches
    )


def _highlight(scenes: Sequence[FusedScene], text: str, corrected: Collection[str]) -> dict[UUID, dict[str, Excerpt]]:
    """Return the excerpts of each scene by the lexical channel that found it."""
    excerpts: dict[UUID, dict[str, Excerpt]] = {}
    try:
        for channel in LEXICAL_CHANNELS:
            matched = [fused.scene_id for fused in scenes if any(rank.channel == channel for rank in fused.matches)]
            for scene_id, excerpt in get_lexical_backend().highlight(matched, text, channel, corrected).items():
                excerpts.setdefault(scene_id, {})[channel] = excerpt
    except LexicalUnavailable:
        # The backend failed after the search. Show the scenes without excerpts.
        return {}
    return excerpts


def _load_passages(owner_id: UUID, passages: Iterable[Sequence[UUID]]) -> dict[UUID, Passage]:
    """Return the passage of each of its scenes, without those deleted during the search, with one query."""
    passages = list(passages)
    scene_ids = [scene_id for passage in passages for scene_id in passage]
    rows = Scene.objects.filter(pk__in=scene_ids, owner_id=owner_id).values_list("pk", "start_s", "end_s")
    times = {scene_id: (start_s, end_s) for scene_id, start_s, end_s in rows}
    loaded: dict[UUID, Passage] = {}
    for passage in passages:
        left = tuple(scene_id for scene_id in passage if scene_id in times)
        if len(left) > 1:
            loaded |= dict.fromkeys(left, Passage(times[left[0]][0], times[left[-1]][1], left))
    return loaded
