"""Find stale scenes in the database: those whose vector in the latest space is not there, or not of today's input."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Avg, Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Length

from reprocess.plan import ChannelCounts
from reprocess.steps.base import SceneStep
from videos.models import EmbeddingSpace, Scene, SceneEmbedding


def stale_scenes(
    video_ids: Collection[UUID], channel: str, space: EmbeddingSpace, *, run_id: UUID | None, force: bool
) -> dict[UUID, frozenset[UUID]]:
    """Return the stale scenes of some videos by video.

    What this very run has tried counts as fresh, even when it failed or is forced: so a run resumes after a crash where it stopped.
    """
    of_today = SceneEmbedding.objects.filter(scene=OuterRef("pk"), space=space, input_hash=OuterRef(f"{channel}_hash"))
    tried = Q(run_id=run_id) if run_id else Q(pk__in=[])
    fresh = of_today.filter(tried if force else tried | ~Q(state=SceneEmbedding.State.FAILED))
    stale: dict[UUID, set[UUID]] = {}
    for video_id, scene_id in Scene.objects.filter(~Exists(fresh), video_id__in=video_ids).values_list("video_id", "pk"):
        stale.setdefault(video_id, set()).add(scene_id)
    return {video_id: frozenset(scenes) for video_id, scenes in stale.items()}


def count_channel(
    scenes: QuerySet[Scene], step: SceneStep, channel: str, space: EmbeddingSpace | None, batch_size: int, *, force: bool
) -> ChannelCounts:
    """Count a scope's scenes by cause of staleness, in one query, and in a second one when vectors are missing.

    A `space` of None says that it does not exist yet, so every scene lacks its vector.
    """
    hash_now = f"{channel}_hash"
    text_field = step.texts.get(channel)
    joined = scenes.annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space=space)))
    absent = Q(held__id__isnull=True) | Q(held__state=SceneEmbedding.State.FAILED)
    changed = ~absent & ~Q(held__input_hash=F(hash_now))
    due = Q() if force else (absent | changed)
    counts = joined.aggregate(
        scenes=Count("pk"),
        absent=Count("pk", filter=absent),
        changed=Count("pk", filter=changed),
        inputs=Count(hash_now, distinct=True, filter=due & ~Q(**{hash_now: ""})),
        characters=Avg(Length(text_field) if text_field else Value(0), filter=due & ~Q(**{hash_now: ""})),
    )
    step_changed = 0
    if counts["absent"]:
        elsewhere = SceneEmbedding.objects.filter(scene=OuterRef("pk"), space__channel=channel).exclude(space=space)
        step_changed = joined.filter(held__id__isnull=True).filter(Exists(elsewhere)).count()
    return ChannelCounts(
        step=step.name,
        channel=channel,
        scenes=counts["scenes"],
        missing=counts["absent"] - step_changed,
        input_changed=counts["changed"],
        step_changed=step_changed,
        inputs=counts["inputs"],
        characters=counts["characters"] or 0.0,
        batch_size=batch_size,
    )
