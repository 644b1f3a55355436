"""Compare and judge a change of spaces on a sample of scenes, before the new spaces are complete."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from heimdex.embedders.snapshot import load_embedder
from heimdex.errors import ModelAway, ModelUnavailable
from reprocess.cutover.evaluation import DEPTH, Comparison, ComparisonSerializer, compare_spaces
from reprocess.cutover.judging import MIN_QUERIES, JudgedChange, JudgedChangeSerializer, judge_spaces
from reprocess.cutover.switch import SpaceChange
from videos.channels import get_channel
from videos.evaluation.judgments import NO_CLASS, JudgedQuery
from videos.evaluation.references import ResolvedQuery
from videos.models import EmbeddingSpace

NOT_SEARCHED = "Search reads no vectors of this owner yet, so there is nothing to compare with."
NO_TEXT_CHANNEL = "The channels that change ({channels}) are not compared with text queries, so there is nothing to compare."
NO_QUERIES = "This owner has neither saved nor recent queries, so it is unknown how much the results change."
NO_JUDGMENTS = (
    "No judged query has a relevant scene in the sample, so there is no verdict. Judge results on the search page, or give a file with "
    "--judgments."
)
TOO_FEW = "Only {queries} judged queries have a relevant scene in the sample, and a verdict needs {least}: no verdict."
FEW_SCENES = "The sample has only {scenes} scenes, so most of them stay among the first ten whatever the model: sample {least} or more."
NO_VERDICT = "No verdict, because the search was incomplete. {notice}"
# With fewer, random results would share more than a third of their first ten scenes.
_MIN_SCENES = 3 * DEPTH
_PROBE = "a person walks along the sea"


@dataclass(frozen=True)
class SampledChange:
    """What a change of spaces does to the results of an owner's queries within a sample, and a sentence for each thing that is unknown."""

    judged: JudgedChange | None
    compared: Comparison | None
    left_out: tuple[str, ...]


class SampledJudgmentSerializer(JudgedChangeSerializer):
    """The mean nDCG@10 of judged queries within the sample, before and after, and the same for each channel alone that changes."""

    channels = serializers.DictField(child=JudgedChangeSerializer())


class SampledChangeSerializer(serializers.Serializer[SampledChange]):
    """How the results of an owner's queries change within the sample."""

    judged = SampledJudgmentSerializer(allow_null=True)
    compared = ComparisonSerializer(allow_null=True)
    left_out = serializers.ListField(child=serializers.CharField())


def evaluate_sample(change: SpaceChange, scene_ids: Collection[UUID], judged: Sequence[ResolvedQuery] = ()) -> SampledChange:
    """Judge and compare a change by the owner's queries, where both sides have these scenes only.

    Raise ModelAway when the server of a model does not answer, because the side of that model would look worse than it is.
    """
    channels = [space.channel for space in change.pending]
    if not change.before:
        return SampledChange(None, None, (NOT_SEARCHED,))
    if not any(get_channel(channel).searched_by_text for channel in channels):
        return SampledChange(None, None, (NO_TEXT_CHANNEL.format(channels=", ".join(channels)),))
    before, after = list(change.before.values()), list(change.after.values())
    require_servers([*before, *after])
    compared = compare_spaces(change.owner_id, before, after, scene_ids)
    judgment = judge_spaces(change.owner_id, judged, before, after, scene_ids)
    notices = dict.fromkeys((*compared.notices, *(judgment.notices if judgment else ())))
    if notices:
        return SampledChange(None, None, tuple(NO_VERDICT.format(notice=notice) for notice in notices))
    return SampledChange(judgment, compared if compared.changes else None, tuple(_list_unknown(judgment, compared, len(scene_ids))))


def require_servers(spaces: Iterable[EmbeddingSpace]) -> None:
    """Embed a query with the model of each space that text queries are compared with. Raise ModelAway when its server does not answer."""
    for snapshot in {str(space.embedder): space.embedder for space in spaces if get_channel(space.channel).searched_by_text}.values():
        try:
            load_embedder(snapshot).embed_queries([_PROBE])
        except ModelAway:
            raise
        except ModelUnavailable:
            # A model that is gone for good is a notice of each search.
            continue


def list_judged_scenes(queries: Iterable[ResolvedQuery]) -> list[UUID]:
    """Return the scenes that judged queries name, each once, those with the best grades first. Pure."""
    graded = [(scene_id, grade) for query in queries for scene_id, grade in query.grades.items()]
    return list(dict.fromkeys(scene_id for scene_id, _ in sorted(graded, key=lambda pair: -pair[1])))


def store_queries(queries: Iterable[ResolvedQuery]) -> list[dict[str, Any]]:
    """Return judged queries as JSON data."""
    return [
        {
            "query": query.judged.text,
            "video_id": str(query.video_id) if query.video_id else None,
            "grades": {str(scene_id): grade for scene_id, grade in query.grades.items()},
        }
        for query in queries
    ]


def read_queries(stored: Iterable[Mapping[str, Any]]) -> list[ResolvedQuery]:
    """Return judged queries that `store_queries` has stored."""
    return [
        ResolvedQuery(
            JudgedQuery(row["query"], row["query"], NO_CLASS, row["grades"], {}),
            {UUID(scene_id): grade for scene_id, grade in row["grades"].items()},
            UUID(row["video_id"]) if row["video_id"] else None,
        )
        for row in stored
    ]


def _list_unknown(judged: JudgedChange | None, compared: Comparison, scenes: int) -> Iterable[str]:
    if judged is None:
        yield NO_JUDGMENTS
    elif judged.queries < MIN_QUERIES:
        yield TOO_FEW.format(queries=judged.queries, least=MIN_QUERIES)
    if not compared.changes:
        yield NO_QUERIES
    elif scenes < _MIN_SCENES:
        yield FEW_SCENES.format(scenes=scenes, least=_MIN_SCENES)
