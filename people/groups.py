"""The groups of an owner's faces: kept up to date as faces are found, and shown while nobody has been named for them."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import numpy as np
import structlog
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from heimdex.accounts.locks import lock_owner
from heimdex.faces.base import FaceModel
from heimdex.queue import enqueue
from heimdex.recorded import embedder_of
from people.grouping import grouped, merged_mean
from people.matching import as_float32
from people.models import FaceGroup, FaceMatch, SceneFace
from videos.models import ActiveSpace, EmbeddingSpace

log = structlog.get_logger(__name__)

GROUP_FACES = "people.tasks.group_faces"
# Faces that are put into groups at once: among those that fit no group all pairs are compared, so 16 MB of similarities at most.
_AT_ONCE = 2000
_OWNERS_AT_ONCE = 100


def find_ungrouped() -> int:
    """Have the faces grouped of every owner who has new ones in the space that search reads; return how many owners."""
    read = ActiveSpace.objects.filter(owner=OuterRef("owner"), channel=EmbeddingSpace.Channel.PERSON, space=OuterRef("space"))
    new = SceneFace.objects.filter(Exists(read), group__isnull=True).order_by().values_list("owner_id", flat=True).distinct()
    owners = list(new[:_OWNERS_AT_ONCE])
    for owner_id in owners:
        enqueue(GROUP_FACES, str(owner_id))
    return len(owners)


def group_faces(owner_id: UUID) -> int:
    """Put an owner's new faces, in the space that search reads, into groups; return how many. Repeat-safe."""
    space = face_space(owner_id)
    if space is None:
        return 0
    model = embedder_of(space.embedder)
    assert isinstance(model, FaceModel)
    # It takes seconds the first time, during which nobody should wait for the owner.
    import sklearn.cluster  # noqa: F401

    number = 0
    while taken := _group_some(owner_id, space, model.calibration.threshold):
        number += taken
    if number:
        log.info("Faces grouped", owner_id=str(owner_id), faces=number)
    return number


def face_space(owner_id: UUID) -> EmbeddingSpace | None:
    """Return the space of faces that an owner's search reads; None before the first."""
    active = ActiveSpace.objects.filter(owner_id=owner_id, channel=EmbeddingSpace.Channel.PERSON).select_related("space").first()
    return active.space if active else None


def unknown_groups(owner_id: UUID) -> QuerySet[FaceGroup]:
    """Return the groups with faces that are nobody's, those in most scenes first, annotated with `scenes` and `videos` (how many)."""
    read = ActiveSpace.objects.filter(owner_id=owner_id, channel=EmbeddingSpace.Channel.PERSON).values("space")
    return (
        FaceGroup.objects.filter(owner_id=owner_id, space__in=read)
        .filter(~_is_somebodys(owner_id, "faces"), faces__isnull=False)
        .annotate(scenes=Count("faces__scene", distinct=True), videos=Count("faces__video", distinct=True))
        .order_by("-scenes", "pk")
    )


def unknown_faces(owner_id: UUID) -> QuerySet[SceneFace]:
    """Return an owner's faces that are nobody's, the best first, with their scenes and videos."""
    faces = SceneFace.objects.filter(~_is_somebodys(owner_id, "pk"), owner_id=owner_id)
    return faces.select_related("video", "scene").order_by("-quality", "pk")


def _is_somebodys(owner_id: UUID, face: str) -> Exists:
    """Say of a face, which a field of the outer query names, whether it is matched in the space that the owner's search reads."""
    queries = ActiveSpace.objects.filter(owner_id=owner_id, channel=EmbeddingSpace.Channel.PERSON_QUERY).values("space")
    return Exists(FaceMatch.objects.filter(face=OuterRef(face), space__in=queries))


def _group_some(owner_id: UUID, space: EmbeddingSpace, least: float) -> int:
    with transaction.atomic():
        # One after the other, so that two workers do not make two groups of one person.
        lock_owner(owner_id)
        new = SceneFace.objects.filter(owner_id=owner_id, space=space, group__isnull=True)
        faces = list(new.only("pk", "vector").order_by("-quality", "pk")[:_AT_ONCE])
        if not faces:
            return 0
        groups = list(FaceGroup.objects.filter(owner_id=owner_id, space=space).order_by("created_at", "pk"))
        vectors = np.stack([as_float32(face.vector) for face in faces])
        known = np.stack([as_float32(group.vector) for group in groups]) if groups else np.zeros((0, space.dimensions), dtype=np.float32)
        grouping = grouped(vectors, known, least)
        now = timezone.now()
        groups += [FaceGroup(pk=uuid4(), owner_id=owner_id, space=space, size=0, created_at=now) for _ in range(grouping.new_groups)]
        members = _members(grouping.places)
        for place, positions in members.items():
            group = groups[place]
            mean = as_float32(group.vector) if group.size else np.zeros(space.dimensions, dtype=np.float32)
            group.vector = merged_mean(mean, group.size, [vectors[position] for position in positions])
            group.size += len(positions)
        changed = [groups[place] for place in members]
        FaceGroup.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["id"], update_fields=["vector", "size"], batch_size=500
        )
        for place, positions in members.items():
            for position in positions:
                faces[position].group = groups[place]
        SceneFace.objects.bulk_update(faces, ["group"], batch_size=500)
    return len(faces)


def _members(places: np.ndarray) -> Mapping[int, list[int]]:
    members: dict[int, list[int]] = {}
    for position, place in enumerate(places.tolist()):
        members.setdefault(place, []).append(position)
    return members
