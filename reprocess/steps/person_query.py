"""`person_query`: the query vector of a person, the normalized mean of the vectors of the READY photos."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from heimdex.embedders.base import Embedder
from heimdex.embedders.vectors import normalize_rows
from people.channels import PERSON_PHOTO, PERSON_QUERY, READY_PHOTOS
from people.input_hashes import hash_query
from people.matching import to_float32
from people.models import Person, PersonPhoto, PhotoEmbedding
from reprocess.planning.targets import PEOPLE
from reprocess.steps.base import PeopleStep
from reprocess.steps.embedding_task import EmbeddingTask, Result
from videos.channels import Channel
from videos.models import EmbeddingSpace


class PersonQueryStep(PeopleStep):
    target_type = PEOPLE
    name = "person_query"
    order = 50
    code_version = 1
    fills = (Channel(PERSON_QUERY, (READY_PHOTOS,), searched_by_text=False, target="person"),)
    embedder_alias = "faces"
    calls_model = False
    # These strings are part of the fingerprint: another spelling would make every vector stale.
    params = {"of": "READY photos", "by": "normalised mean"}  # codespell:ignore normalised
    reads = "person_photo"

    def compute_hashes(self, targets: QuerySet[Person]) -> Mapping[UUID, str]:
        hashes: dict[UUID, list[str]] = {}
        ready = PersonPhoto.objects.filter(person__in=targets, state=PersonPhoto.State.READY).exclude(image_hash="")
        for person_id, image_hash in ready.order_by().values_list("person_id", "image_hash"):
            hashes.setdefault(person_id, []).append(image_hash)
        return {person.pk: hash_query(hashes.get(person.pk, []), archived=person.is_archived) for person in targets}

    def load_sources(self, targets: Sequence[Person], spaces: Mapping[str, EmbeddingSpace]) -> Mapping[UUID, tuple[bytes, ...]]:
        rows = PhotoEmbedding.objects.filter(
            photo__person__in=targets,
            photo__state=PersonPhoto.State.READY,
            space=spaces[PERSON_PHOTO],
            state=PhotoEmbedding.State.EMBEDDED,
        ).order_by("photo_id")
        vectors: dict[UUID, list[bytes]] = {}
        for person_id, vector in rows.values_list("photo__person", "vector"):
            vectors.setdefault(person_id, []).append(to_float32(vector).tobytes())
        return {person_id: tuple(photo_vectors) for person_id, photo_vectors in vectors.items()}

    def prepare(self, task: EmbeddingTask, embedder: Embedder) -> NDArray[np.float32]:
        return np.stack([np.frombuffer(vector, dtype=np.float32) for vector in task.source if isinstance(vector, bytes)])

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        return [normalize_rows(vectors.mean(axis=0, keepdims=True))[0] for vectors in inputs]


STEP = PersonQueryStep()
