"""Match the faces of scenes to an owner's people, and store the matches for search."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from heimdex.accounts.owner import lock_owner
from heimdex.embedders.snapshot import load_embedder
from heimdex.faces.base import Box, FaceModel
from heimdex.faces.calibration import Calibration
from people.channels import PERSON, PERSON_QUERY
from people.models import FaceLabel, FaceMatch, QueryEmbedding, SceneFace
from videos.models import EmbeddingSpace

# Faces per batch.
_BATCH = 2000
# A label applies to a detected face when their times differ by at most this many seconds and their boxes overlap by at least this much
# (intersection over union).
MAX_TIME_OFFSET_S = 0.05
MIN_BOX_OVERLAP = 0.4


@dataclass(frozen=True)
class Label:
    """An owner's label of the face at one place of a video."""

    person_id: UUID
    time_s: float
    box: Box
    is_person: bool


@dataclass(frozen=True, eq=False)
class PersonCandidates:
    """The people that a face may match, and their query vectors: (n, dimensions), of unit length."""

    people: Sequence[UUID]
    vectors: NDArray[np.float32]


def identify_face(
    face: NDArray[np.float32], labels: Iterable[Label], candidates: PersonCandidates, calibration: Calibration
) -> tuple[UUID, float] | None:
    """Return the labeled person with probability 1, else the most similar person at or above the threshold, else None. Pure.

    `labels` are the labels of this face, the latest first. The latest label per person counts, and rejected people are never returned.
    """
    latest: dict[UUID, bool] = {}
    for label in labels:
        latest.setdefault(label.person_id, label.is_person)
    if labeled := next((person_id for person_id, is_person in latest.items() if is_person), None):
        return labeled, 1.0
    if not len(candidates.people):
        return None
    similarities = candidates.vectors @ face
    similarities[[person in latest for person in candidates.people]] = -1.0
    best = int(similarities.argmax())
    if similarities[best] < calibration.threshold:
        return None
    return candidates.people[best], round(calibration.estimate_probability(float(similarities[best])), 4)


def select_labels_at(labels: Iterable[Label], time_s: float, box: Box) -> list[Label]:
    """Return the labels of the face in a box at a time, the latest first. Pure."""
    matching = (
        label for label in labels if abs(label.time_s - time_s) <= MAX_TIME_OFFSET_S and label.box.compute_overlap(box) >= MIN_BOX_OVERLAP
    )
    return list(matching)[::-1]


def to_float32(stored: Any) -> NDArray[np.float32]:
    """Return a vector from the database in the precision that is used for computing."""
    return np.asarray(stored, dtype=np.float32)


def match_faces(owner_id: UUID, spaces: Mapping[str, EmbeddingSpace], scenes: Collection[UUID] | None = None) -> None:
    """Rematch an owner's faces, in all scenes or in some. Write only changed matches. Call it within a transaction.

    `spaces` maps channels to the spaces of one spec, so that faces and people have vectors of the same model. Do nothing unless the spaces
    of both channels are given.
    """
    face_space, query_space = spaces.get(PERSON), spaces.get(PERSON_QUERY)
    if face_space is None or query_space is None:
        return
    # Matches of one owner run one after another, so each sees the faces and people that the earlier ones wrote.
    lock_owner(owner_id)
    model = load_embedder(query_space.embedder)
    assert isinstance(model, FaceModel)
    candidates = _load_candidates(owner_id, query_space)
    faces = SceneFace.objects.filter(owner_id=owner_id, space=face_space).order_by("pk")
    if scenes is not None:
        faces = faces.filter(scene__in=scenes)
    labels = _load_labels(owner_id)
    rows = iter(faces.iterator(chunk_size=_BATCH))
    while batch := list(islice(rows, _BATCH)):
        _match_batch(batch, query_space, labels, candidates, model.calibration)


def _match_batch(
    faces: Sequence[SceneFace],
    space: EmbeddingSpace,
    labels: Mapping[UUID, Sequence[Label]],
    candidates: PersonCandidates,
    calibration: Calibration,
) -> None:
    existing = {match.face_id: match for match in FaceMatch.objects.filter(space=space, face__in=faces)}
    outdated: list[int] = []
    new: list[FaceMatch] = []
    for face in faces:
        box = Box(face.left, face.top, face.right, face.bottom)
        face_labels = select_labels_at(labels.get(face.video_id, ()), face.time_s, box)
        identified = identify_face(to_float32(face.vector), face_labels, candidates, calibration)
        match = existing.get(face.pk)
        if identified == ((match.person_id, match.probability) if match else None):
            continue
        if match:
            outdated.append(match.pk)
        if identified:
            person_id, probability = identified
            new.append(
                FaceMatch(
                    face=face, scene_id=face.scene_id, person_id=person_id, space=space, owner_id=face.owner_id, probability=probability
                )
            )
    FaceMatch.objects.filter(pk__in=outdated).delete()
    FaceMatch.objects.bulk_create(new)


def _load_candidates(owner_id: UUID, space: EmbeddingSpace) -> PersonCandidates:
    rows = QueryEmbedding.objects.filter(
        owner_id=owner_id, space=space, state=QueryEmbedding.State.EMBEDDED, person__archived_at__isnull=True
    ).order_by("person_id")
    people: list[UUID] = []
    vectors: list[NDArray[np.float32]] = []
    for person_id, vector in rows.values_list("person_id", "vector"):
        people.append(person_id)
        vectors.append(to_float32(vector))
    return PersonCandidates(people, np.stack(vectors) if vectors else np.zeros((0, space.dimensions), dtype=np.float32))


def _load_labels(owner_id: UUID) -> dict[UUID, list[Label]]:
    """Return an owner's labels by video, the oldest first."""
    by_video: dict[UUID, list[Label]] = {}
    for row in _iterate_labels(owner_id):
        label = Label(row.person_id, row.time_s, Box(row.left, row.top, row.right, row.bottom), row.is_person)
        by_video.setdefault(row.video_id, []).append(label)
    return by_video


def _iterate_labels(owner_id: UUID) -> Iterator[FaceLabel]:
    labels = FaceLabel.objects.filter(owner_id=owner_id, person__archived_at__isnull=True)
    return labels.order_by("created_at", "id").iterator(chunk_size=_BATCH)
