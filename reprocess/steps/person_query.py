"""`person_query`: what a person is looked for with, the normalised mean of the vectors of the READY photos."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from heimdex.embedders.base import Embedder
from heimdex.embedders.vectors import normalized
from people.matching import as_float32
from people.models import PersonPhoto, PhotoEmbedding
from reprocess.steps.base import PeopleStep
from reprocess.subjects import PEOPLE
from reprocess.work import Result, Subject, Work
from videos.models import EmbeddingSpace

_CHANNEL = EmbeddingSpace.Channel.PERSON_QUERY.value


class QueryOfPerson(PeopleStep):
    kind = PEOPLE
    name = "person_query"
    order = 50
    code_version = 1
    channels = (_CHANNEL,)
    embedder_alias = "faces"
    calls_model = False
    params = {"of": "READY photos", "by": "normalised mean"}
    reads = "person_photo"

    def work(self, stale: QuerySet[Any], spaces: Mapping[str, EmbeddingSpace]) -> Iterator[tuple[Subject, Work]]:
        people = list(stale.order_by("pk"))
        rows = PhotoEmbedding.objects.filter(
            photo__person__in=people,
            photo__state=PersonPhoto.State.READY,
            space=spaces[EmbeddingSpace.Channel.PERSON_PHOTO],
            state=PhotoEmbedding.State.EMBEDDED,
        ).order_by("photo_id")
        vectors: dict[Any, list[bytes]] = {}
        for person_id, vector in rows.values_list("photo__person", "vector"):
            vectors.setdefault(person_id, []).append(as_float32(vector).tobytes())
        for person in people:
            found = tuple(vectors.get(person.pk, ())) if person.person_query_hash else ()
            yield person, Work(person.pk, person.owner_id, _CHANNEL, person.person_query_hash, found)

    def load(self, work: Work, embedder: Embedder) -> NDArray[np.float32]:
        return np.stack([np.frombuffer(vector, dtype=np.float32) for vector in work.source if isinstance(vector, bytes)])

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        return [normalized(vectors.mean(axis=0, keepdims=True))[0] for vectors in inputs]


STEP = QueryOfPerson()
