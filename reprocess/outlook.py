"""What a run over a part of an owner's library means while new spaces fill: search goes on with the old ones until all is there."""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.spec import EffectiveSpec, effective_spec
from reprocess.subjects import SCENES
from videos.models import EmbeddingSpace, Scene, SceneEmbedding, Video
from videos.search.vectors import active_spaces

PART = "{filled} of {videos} videos; search switches when the owner is complete"
PART_BY_HAND = "{filled} of {videos} videos; search switches when the owner is complete and somebody runs `manage.py cutover`"


def outlook(*runs: ReprocessRun) -> list[str]:
    """Say of each owner whose coming spaces these runs fill in part how many videos they will hold; nothing where none is coming."""
    spec = effective_spec()
    parts = [run for run in runs if run.spec_id == spec.digest and (run.scope == ReprocessRun.Scope.VIDEO or run.since)]
    return list(_sentences(parts, spec)) if parts else []


def _sentences(runs: Sequence[ReprocessRun], spec: EffectiveSpec) -> Iterator[str]:
    sentence = PART if all(run.automatic_cutover for run in runs) else PART_BY_HAND
    items = ReprocessItem.objects.filter(run__in=runs)
    for owner_id in items.order_by("owner").values_list("owner", flat=True).distinct():
        if share := filled_share(owner_id, spec, items.filter(owner=owner_id).values("video")):
            yield sentence.format(filled=share[0], videos=share[1])


def filled_share(owner_id: UUID, spec: EffectiveSpec, filling: QuerySet[ReprocessItem, Any]) -> tuple[int, int] | None:
    """Return how many of an owner's videos the spec's coming spaces hold once the `filling` ones are there, and of how many.

    None when search reads the spec's spaces already, reads none yet, or nothing will be missing. Writes nothing.
    """
    read = {space.fingerprint for space in active_spaces(owner_id)}
    coming = {configured.fingerprint(channel) for configured, channel in spec.channels(SCENES)} - read
    if not read or not coming:
        return None
    spaces = list(EmbeddingSpace.objects.filter(fingerprint__in=coming))
    videos = Video.objects.filter(owner=owner_id, state=Video.State.INDEXED)
    held = Q(pk__in=filling)
    if len(spaces) == len(coming):
        lacks = reduce(or_, (~Exists(SceneEmbedding.objects.filter(scene=OuterRef("pk"), space=space)) for space in spaces))
        held |= Q(~Exists(Scene.objects.filter(lacks, video=OuterRef("pk"))))
    filled, number = videos.filter(held).count(), videos.count()
    return (filled, number) if filled < number else None
