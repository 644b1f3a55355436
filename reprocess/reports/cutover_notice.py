"""Notices about partial runs: while an owner's pending spaces are incomplete, search keeps reading the active ones."""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.targets import SCENES
from reprocess.spec import EffectiveSpec, effective_spec
from videos.models import EmbeddingSpace, Scene, SceneEmbedding, Video
from videos.search.vectors import list_active_spaces

PARTIAL = "{filled} of {videos} videos; search switches when the owner is complete"
PARTIAL_MANUAL = "{filled} of {videos} videos; search switches when the owner is complete and you run `manage.py cutover`"


def cutover_notices(*runs: ReprocessRun) -> list[str]:
    """Return a sentence for each owner whose pending spaces these runs fill only in part; an empty list when there is none."""
    spec = effective_spec()
    partial_runs = [run for run in runs if run.spec_id == spec.digest and (run.scope == ReprocessRun.Scope.VIDEO or run.since)]
    return list(_notices(partial_runs, spec)) if partial_runs else []


def queued_message(*runs: ReprocessRun) -> str:
    """Return the answer of every entry point that queues runs: their size and, for partial runs, when search switches."""
    videos, owners = sum(run.video_count for run in runs), sum(run.people_count for run in runs)
    size = f"{videos} video(s)" + (f" and the people of {owners} owner(s)" if owners else "")
    queued = f"Queued embedding reprocessing for {size} using spec version {runs[0].spec_version}"
    return ". ".join([queued, *cutover_notices(*runs)])


def _notices(runs: Sequence[ReprocessRun], spec: EffectiveSpec) -> Iterator[str]:
    notice = PARTIAL if all(run.automatic_cutover for run in runs) else PARTIAL_MANUAL
    items = ReprocessItem.objects.filter(run__in=runs)
    for owner_id in items.order_by("owner").values_list("owner", flat=True).distinct():
        if share := count_filled_videos(owner_id, spec, items.filter(owner=owner_id).values("video")):
            yield notice.format(filled=share[0], videos=share[1])


def count_filled_videos(owner_id: UUID, spec: EffectiveSpec, in_runs: QuerySet[ReprocessItem, Any]) -> tuple[int, int] | None:
    """Return how many of an owner's videos the spec's pending spaces will hold, and how many videos the owner has.

    `in_runs` selects the ids of videos that unfinished runs will fill. Return None when search reads the spec's spaces already,
    reads no space yet, or when nothing will be missing.
    """
    active = {space.fingerprint for space in list_active_spaces(owner_id)}
    pending = {configured.fingerprint(channel) for configured, channel in spec.channels(SCENES)} - active
    if not active or not pending:
        return None
    spaces = list(EmbeddingSpace.objects.filter(fingerprint__in=pending))
    videos = Video.objects.filter(owner=owner_id, state=Video.State.INDEXED)
    is_filled = Q(pk__in=in_runs)
    if len(spaces) == len(pending):
        lacks_row = reduce(or_, (~Exists(SceneEmbedding.objects.filter(scene=OuterRef("pk"), space=space)) for space in spaces))
        is_filled |= Q(~Exists(Scene.objects.filter(lacks_row, video=OuterRef("pk"))))
    filled, total = videos.filter(is_filled).count(), videos.count()
    return (filled, total) if filled < total else None
