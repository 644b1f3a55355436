"""Read packed codes, and vectors that are not packed yet, as arrays."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from heimdex.database.copy_out import copy_out, copy_out_raw
from heimdex.embedders.vectors import Vectors
from videos.models import EmbeddingSpace, PackedBlock, PackedSpace, SceneEmbedding
from videos.search.vector_codes import EncodedVectors, count_words

RowIds = NDArray[np.int64]


@dataclass(frozen=True)
class RawVectors:
    """Rows of a space: their ids, shape (rows,), and vectors, shape (rows, dimensions)."""

    row_ids: RowIds
    vectors: Vectors


def find_packed(owner_id: UUID, spaces: Collection[EmbeddingSpace]) -> dict[UUID, PackedSpace]:
    """Return the packed vectors of an owner by space."""
    packed = PackedSpace.objects.filter(owner_id=owner_id, space__in=spaces, is_active=True).defer("center")
    return {row.space_id: row for row in packed}


def select_embedded(owner_id: UUID, space_id: UUID) -> QuerySet[SceneEmbedding]:
    """Return the rows of an owner's vectors in a space."""
    return SceneEmbedding.objects.filter(owner_id=owner_id, space_id=space_id, state=SceneEmbedding.State.EMBEDDED)


def select_unpacked(packed: PackedSpace) -> QuerySet[SceneEmbedding]:
    """Return the vectors that have no code yet."""
    return select_embedded(packed.owner_id, packed.space_id).filter(pk__gt=packed.packed_to)


def read_unpacked(packed: PackedSpace, space: EmbeddingSpace, limit: int) -> RawVectors:
    """Read the first vectors that have no code yet, in the order in which they were written."""
    rows = select_unpacked(packed).order_by("pk").values_list("pk", "vector")[:limit]
    # Each column is preceded by its length (4 bytes), the vector by its dimensions and a zero (2 bytes each), and the row by 2 bytes.
    layout = np.dtype([("_1", "V6"), ("id", ">i8"), ("_2", "V8"), ("vector", ">f2", space.dimensions)])
    table = np.frombuffer(b"".join(copy_out_raw(rows)), layout)
    return RawVectors(table["id"].astype(np.int64), table["vector"].astype(np.float32))


def load_codes(packed: PackedSpace, space: EmbeddingSpace) -> tuple[RowIds, list[EncodedVectors]]:
    """Read the blocks of codes of a packed space, and the ids of the vectors' rows, shape (vectors,)."""
    row_ids, blocks = [], []
    rows = PackedBlock.objects.filter(packed=packed).order_by("number").values_list("row_ids", "codes", "scales")
    for ids, codes, scales in copy_out(rows):
        row_ids.append(np.frombuffer(ids, "<i8"))
        blocks.append(EncodedVectors(np.frombuffer(codes, "<u8").reshape(count_words(space.dimensions), -1), np.frombuffer(scales, "<f2")))
    return np.concatenate(row_ids) if row_ids else np.empty(0, np.int64), blocks
