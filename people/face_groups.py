"""Keep an owner's face groups up to date as new faces are found."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import numpy as np
import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from numpy.typing import NDArray

from heimdex.accounts.owner import lock_owner
from heimdex.embedders.snapshot import load_embedder
from heimdex.faces.base import FaceModel
from heimdex.queue import enqueue
from people.channels import PERSON
from people.clustering import cluster_faces, merge_mean
from people.matching import to_float32
from people.models import FaceGroup, SceneFace
from videos.models import ActiveSpace, EmbeddingSpace

log = structlog.get_logger(__name__)

GROUP_FACES_TASK = "people.tasks.group_faces"
# Faces that fit no group are compared in pairs, so this bounds the similarities to 16 MB.
_BATCH = 2000
_MAX_OWNERS = 100


def queue_ungrouped_owners() -> int:
    """Queue the grouping of faces for every owner with ungrouped faces in the active space. Return the number of owners."""
    active = ActiveSpace.objects.filter(owner=OuterRef("owner"), channel=PERSON, space=OuterRef("space"))
    ungrouped = SceneFace.objects.filter(Exists(active), group__isnull=True).order_by().values_list("owner_id", flat=True).distinct()
    owners = list(ungrouped[:_MAX_OWNERS])
    for owner_id in owners:
        enqueue(GROUP_FACES_TASK, str(owner_id))
    return len(owners)


def group_faces(owner_id: UUID) -> int:
    """Group an owner's new faces in the active space. Return how many. Idempotent."""
    space = get_active_face_space(owner_id)
    if space is None:
        return 0
    model = load_embedder(space.embedder)
    assert isinstance(model, FaceModel)
    # The first import takes seconds, so import it before locking the owner.
    import sklearn.cluster  # noqa: F401

    total = 0
    while count := _group_batch(owner_id, space, model.calibration.threshold):
        total += count
    if total:
        log.info("Faces grouped", owner_id=str(owner_id), faces=total)
    return total


def get_active_face_space(owner_id: UUID) -> EmbeddingSpace | None:
    """Return the owner's active space of faces, or None before the first one is activated."""
    active = ActiveSpace.objects.filter(owner_id=owner_id, channel=PERSON).select_related("space").first()
    return active.space if active else None


def _group_batch(owner_id: UUID, space: EmbeddingSpace, threshold: float) -> int:
    with transaction.atomic():
        # One worker at a time: two workers could create two groups for one person.
        lock_owner(owner_id)
        ungrouped = SceneFace.objects.filter(owner_id=owner_id, space=space, group__isnull=True)
        faces = list(ungrouped.only("pk", "vector").order_by("-quality", "pk")[:_BATCH])
        if not faces:
            return 0
        groups = list(FaceGroup.objects.filter(owner_id=owner_id, space=space).order_by("created_at", "pk"))
        vectors = np.stack([to_float32(face.vector) for face in faces])
        means = np.stack([to_float32(group.vector) for group in groups]) if groups else np.zeros((0, space.dimensions), dtype=np.float32)
        clustering = cluster_faces(vectors, means, threshold)
        now = timezone.now()
        groups += [FaceGroup(pk=uuid4(), owner_id=owner_id, space=space, size=0, created_at=now) for _ in range(clustering.new_groups)]
        members = _list_members(clustering.positions)
        for position, face_positions in members.items():
            group = groups[position]
            mean = to_float32(group.vector) if group.size else np.zeros(space.dimensions, dtype=np.float32)
            group.vector = merge_mean(mean, group.size, [vectors[face] for face in face_positions])
            group.size += len(face_positions)
        FaceGroup.objects.bulk_create(
            [groups[position] for position in members],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["vector", "size"],
            batch_size=500,
        )
        for face, position in zip(faces, clustering.positions.tolist(), strict=True):
            face.group = groups[position]
        SceneFace.objects.bulk_update(faces, ["group"], batch_size=500)
    return len(faces)


def _list_members(positions: NDArray[np.intp]) -> Mapping[int, list[int]]:
    """Return the positions of the faces in each group, by the group's position."""
    members: dict[int, list[int]] = {}
    for face, group in enumerate(positions.tolist()):
        members.setdefault(group, []).append(face)
    return members
