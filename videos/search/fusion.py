"""Fuse what several channels find into one ranking. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from videos.channels import Evidence
from videos.search.ranking_model import RankingModel, get_ranking_model

NO_EMPHASIS: Mapping[Evidence, float] = {}


@dataclass(frozen=True)
class RankedScene:
    """A scene's rank (from 1, shared by equal scores), score and certainty in one channel.

    Only certainties can be compared between channels and models. One that `is_match` is a reason to answer with the scene. Others only add
    to the evidence of scenes that match elsewhere: a similarity below the model's floor, or words of the scenes nearby.
    """

    scene_id: UUID
    video_id: UUID
    channel: str
    rank: int
    score: float
    certainty: float
    is_match: bool = True


@dataclass(frozen=True)
class FusedScene:
    """A scene's fused score, its ranks, those with most evidence first, and the probability that it answers the query."""

    scene_id: UUID
    video_id: UUID
    score: float
    ranks: tuple[RankedScene, ...] = ()
    probability: float = 0.0

    @property
    def matches(self) -> tuple[RankedScene, ...]:
        """The reasons why the scene is in the answer."""
        return tuple(rank for rank in self.ranks if rank.is_match)


def rank_scenes(
    channel: str, rows: Iterable[tuple[UUID, UUID, float, float]], without_match: Collection[UUID] = frozenset()
) -> list[RankedScene]:
    """Rank the candidates of a channel, given as rows of scene, video, score and certainty, best first. Some of them may be no matches.

    Scenes of equal score share the best of their ranks: all scenes of a video have the same summary, for example.
    """
    scenes: list[RankedScene] = []
    for position, (scene_id, video_id, score, certainty) in enumerate(rows, start=1):
        rank = scenes[-1].rank if scenes and scenes[-1].score == score else position
        scenes.append(RankedScene(scene_id, video_id, channel, rank, score, certainty, scene_id not in without_match))
    return scenes


def fuse(
    pools: Sequence[Sequence[RankedScene]], emphasis: Mapping[Evidence, float] = NO_EMPHASIS, model: RankingModel | None = None
) -> list[FusedScene]:
    """Merge the channels' pools, best first. Scenes of equal score keep the order in which the pools name them.

    Leave out scenes without a match. `emphasis` multiplies kinds of evidence.
    """
    model = model or get_ranking_model()
    ranks_by_scene: dict[UUID, list[RankedScene]] = {}
    for pool in pools:
        for scene in pool:
            ranks_by_scene.setdefault(scene.scene_id, []).append(scene)
    scored = [
        (model.score(((rank.channel, rank.certainty) for rank in ranks), emphasis), ranks)
        for ranks in ranks_by_scene.values()
        if any(rank.is_match for rank in ranks)
    ]
    scored.sort(key=lambda pair: -pair[0])
    best = scored[0][0] if scored else 0.0
    return [
        FusedScene(
            ranks[0].scene_id,
            ranks[0].video_id,
            score,
            tuple(sorted(ranks, key=lambda rank: (-model.measure(rank.channel, rank.certainty), rank.channel))),
            model.estimate_probability(score, best, emphasis),
        )
        for score, ranks in scored
    ]


def limit_per_video(fused: Sequence[FusedScene], limit: int) -> list[FusedScene]:
    """Keep the best `limit` scenes of each video, in order."""
    counts: dict[UUID, int] = {}
    kept = []
    for scene in fused:
        counts[scene.video_id] = counts.get(scene.video_id, 0) + 1
        if counts[scene.video_id] <= limit:
            kept.append(scene)
    return kept


def trust_matches(scenes: Iterable[FusedScene]) -> list[FusedScene]:
    """Take the score of the best match for the probability, where that is what scores are: in a search for people alone.

    The weights of the ranking rate a person beside words. Alone, the person in the scene is the whole answer.
    """
    return [replace(scene, probability=scene.ranks[0].score) for scene in scenes]
