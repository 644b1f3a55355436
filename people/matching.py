"""Whose a face is: the owner's people are compared with the faces of their scenes, and the answer is stored for search."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from heimdex.accounts.locks import lock_owner
from heimdex.faces.base import Box, FaceModel
from heimdex.faces.calibration import Calibration
from heimdex.recorded import embedder_of
from people.models import FaceMatch, FaceRuling, QueryEmbedding, SceneFace
from videos.models import EmbeddingSpace

# Faces that are compared at once.
_CHUNK = 2000
# A face that was found anew is the one that the owner has spoken of when it is in the same picture and covers as much of the same place.
SAME_MOMENT_S = 0.05
SAME_PLACE = 0.4


@dataclass(frozen=True)
class Ruling:
    """What an owner has said of a face in a place of a video."""

    person_id: UUID
    time_s: float
    box: Box
    is_person: bool


@dataclass(frozen=True, eq=False)
class Candidates:
    """The people whom a face may be, and the vectors that they are looked for with, (n, dimensions), of unit length."""

    people: Sequence[UUID]
    vectors: NDArray[np.float32]


def assign(
    face: NDArray[np.float32], rulings: Iterable[Ruling], candidates: Candidates, calibration: Calibration
) -> tuple[UUID, float] | None:
    """Return who a face is, and how probable that is: whom the owner says, or else the likest one at or above the threshold. Pure.

    `rulings` are those on this face, the latest first: of two on the same person it counts, and nobody is given whom it excludes.
    """
    said: dict[UUID, bool] = {}
    for ruling in rulings:
        said.setdefault(ruling.person_id, ruling.is_person)
    if given := next((person_id for person_id, is_person in said.items() if is_person), None):
        return given, 1.0
    if not len(candidates.people):
        return None
    similarities = candidates.vectors @ face
    similarities[[person in said for person in candidates.people]] = -1.0
    best = int(similarities.argmax())
    if similarities[best] < calibration.threshold:
        return None
    return candidates.people[best], round(calibration.probability(float(similarities[best])), 4)


def on_face(rulings: Iterable[Ruling], time_s: float, box: Box) -> list[Ruling]:
    """Return the rulings that are about the face in a box at a time, the latest first. Pure."""
    about = (one for one in rulings if abs(one.time_s - time_s) <= SAME_MOMENT_S and one.box.overlap(box) >= SAME_PLACE)
    return list(about)[::-1]


def as_float32(stored: Any) -> NDArray[np.float32]:
    """Return a vector as the database gives it, in the precision that is computed with."""
    return np.asarray(stored, dtype=np.float32)


def match_faces(owner_id: UUID, spaces: Mapping[str, EmbeddingSpace], scenes: Collection[UUID] | None = None) -> None:
    """Say anew whose an owner's faces are, in all scenes or in some; only answers that changed are written. Call it within a transaction.

    `spaces` are those of one spec by channel, so that both sides are vectors of one model. Nothing happens without both.
    """
    found_in, looked_for_in = spaces.get(EmbeddingSpace.Channel.PERSON), spaces.get(EmbeddingSpace.Channel.PERSON_QUERY)
    if found_in is None or looked_for_in is None:
        return
    # Whoever comes second sees the faces, and the people, of who came first.
    lock_owner(owner_id)
    model = embedder_of(looked_for_in.embedder)
    assert isinstance(model, FaceModel)
    candidates = _candidates(owner_id, looked_for_in)
    faces = SceneFace.objects.filter(owner_id=owner_id, space=found_in).order_by("pk")
    if scenes is not None:
        faces = faces.filter(scene__in=scenes)
    rulings = _rulings(owner_id)
    rows = iter(faces.iterator(chunk_size=_CHUNK))
    while chunk := list(islice(rows, _CHUNK)):
        _match(chunk, looked_for_in, rulings, candidates, model.calibration)


def _match(
    faces: Sequence[SceneFace],
    space: EmbeddingSpace,
    rulings: Mapping[UUID, Sequence[Ruling]],
    candidates: Candidates,
    calibration: Calibration,
) -> None:
    before = {match.face_id: match for match in FaceMatch.objects.filter(space=space, face__in=faces)}
    ended: list[int] = []
    new: list[FaceMatch] = []
    for face in faces:
        box = Box(face.left, face.top, face.right, face.bottom)
        of_face = on_face(rulings.get(face.video_id, ()), face.time_s, box)
        now = assign(as_float32(face.vector), of_face, candidates, calibration)
        match = before.get(face.pk)
        if now == ((match.person_id, match.probability) if match else None):
            continue
        if match:
            ended.append(match.pk)
        if now:
            person_id, probability = now
            new.append(
                FaceMatch(
                    face=face, scene_id=face.scene_id, person_id=person_id, space=space, owner_id=face.owner_id, probability=probability
                )
            )
    FaceMatch.objects.filter(pk__in=ended).delete()
    FaceMatch.objects.bulk_create(new)


def _candidates(owner_id: UUID, space: EmbeddingSpace) -> Candidates:
    rows = QueryEmbedding.objects.filter(
        owner_id=owner_id, space=space, state=QueryEmbedding.State.EMBEDDED, person__archived_at__isnull=True
    ).order_by("person_id")
    people: list[UUID] = []
    vectors: list[NDArray[np.float32]] = []
    for person_id, vector in rows.values_list("person_id", "vector"):
        people.append(person_id)
        vectors.append(as_float32(vector))
    return Candidates(people, np.stack(vectors) if vectors else np.zeros((0, space.dimensions), dtype=np.float32))


def _rulings(owner_id: UUID) -> dict[UUID, list[Ruling]]:
    """Return what the owner has said, by video and in the order it was said."""
    by_video: dict[UUID, list[Ruling]] = {}
    for row in _said(owner_id):
        ruling = Ruling(row.person_id, row.time_s, Box(row.left, row.top, row.right, row.bottom), row.is_person)
        by_video.setdefault(row.video_id, []).append(ruling)
    return by_video


def _said(owner_id: UUID) -> Iterator[FaceRuling]:
    said = FaceRuling.objects.filter(owner_id=owner_id, person__archived_at__isnull=True)
    return said.order_by("created_at", "id").iterator(chunk_size=_CHUNK)
