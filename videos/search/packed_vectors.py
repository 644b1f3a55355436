"""Read packed codes, and vectors that are not packed yet, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from heimdex.database.copy_out import copy_out, copy_out_raw
from heimdex.embedders.vectors import Vectors
from videos.models import EmbeddingSpace, PackedBlock, PackedSpace, SceneEmbedding
from videos.search.vector_codes import EncodedVectors, count_words

SceneIds = NDArray[np.uint8]


@dataclass(frozen=True)
class RawVectors:
    """Rows of a space: their ids, shape (rows,), their scenes' ids, shape (rows, 16), and vectors, shape (rows, dimensions)."""

    row_ids: NDArray[np.int64]
    scene_ids: SceneIds
    vectors: Vectors


def select_unpacked(packed: PackedSpace) -> QuerySet[SceneEmbedding]:
    """Return the vectors that have no code yet."""
    return SceneEmbedding.objects.filter(
        owner=packed.owner_id, space=packed.space_id, pk__gt=packed.packed_to, state=SceneEmbedding.State.EMBEDDED
    )


def read_unpacked(packed: PackedSpace, space: EmbeddingSpace, limit: int | None = None) -> RawVectors:
    """Read the vectors that have no code yet, in the order in which they were written."""
    rows = select_unpacked(packed).order_by("pk").values_list("pk", "scene_id", "vector")[:limit]
    # Each column is preceded by its length (4 bytes), the vector by its dimensions and a zero (2 bytes each), and the row by 2 bytes.
    layout = np.dtype([("_1", "V6"), ("id", ">i8"), ("_2", "V4"), ("scene", "u1", 16), ("_3", "V8"), ("vector", ">f2", space.dimensions)])
    table = np.frombuffer(b"".join(copy_out_raw(rows)), layout)
    return RawVectors(table["id"].astype(np.int64), np.ascontiguousarray(table["scene"]), table["vector"].astype(np.float32))


def load_codes(packed: PackedSpace, space: EmbeddingSpace) -> tuple[SceneIds, EncodedVectors]:
    """Read the codes of a packed space, and the ids of their scenes, shape (vectors, 16)."""
    blocks = PackedBlock.objects.filter(packed=packed).order_by("number").values_list("scene_ids", "codes", "scales")
    scene_ids, codes, scales = _join_columns(copy_out(blocks), 3)
    words = np.frombuffer(codes, np.uint64).reshape(-1, count_words(space.dimensions))
    return np.frombuffer(scene_ids, np.uint8).reshape(-1, 16), EncodedVectors(words, np.frombuffer(scales, np.float16))


def _join_columns(rows: Iterator[list[memoryview]], count: int) -> list[bytes]:
    columns: list[list[memoryview]] = [[] for _ in range(count)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return [b"".join(column) for column in columns]
