"""Find the nearest scenes of an owner exactly: compare every vector of a space with some queries, among several selections of scenes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from videos.models import EmbeddingSpace

DEPTH = 10
# Similarities that differ less are equal: vectors are stored in half precision.
TOLERANCE = 1e-4
# So many scenes are kept, so that equal ones are among them.
_KEPT = 2 * DEPTH
_CHUNK = 20_000

# NumPy cannot sort raw bytes, but strings; they differ when the bytes do, because all have 16.
SceneIds = NDArray[np.bytes_]


@dataclass(frozen=True)
class NearestScenes:
    """The nearest scenes to a query so far, and their similarities."""

    scene_ids: SceneIds
    similarities: NDArray[np.float32]

    def merge(self, scene_ids: SceneIds, similarities: NDArray[np.float32]) -> "NearestScenes":
        """Return the nearest of these and of more scenes, nearest first."""
        scene_ids = np.concatenate([self.scene_ids, scene_ids])
        similarities = np.concatenate([self.similarities, similarities])
        order = np.argsort(-similarities, kind="stable")[:_KEPT]
        return NearestScenes(scene_ids[order], similarities[order])

    def compute_recall(self, first: Sequence[UUID]) -> float:
        """Return the share of the nearest DEPTH scenes that are among the first of an answer; 1 when there are no scenes."""
        count = min(DEPTH, len(self.scene_ids))
        if not count:
            return 1.0
        near = self.scene_ids[self.similarities >= self.similarities[count - 1] - TOLERANCE]
        return min(count, int(np.isin(pack_ids(first[:DEPTH]), near).sum())) / count


NOTHING = NearestScenes(np.empty(0, "S16"), np.empty(0, np.float32))


def find_exactly(
    owner_id: UUID, space: "EmbeddingSpace", queries: NDArray[np.float32], selections: Mapping[str, SceneIds | None]
) -> dict[str, list[NearestScenes]]:
    """Return for each selection the nearest scenes to each query, shape (queries, dimensions). A selection of None has all scenes."""
    nearest = {name: [NOTHING] * len(queries) for name in selections}
    for scene_ids, vectors in _read_vectors(owner_id, space):
        similarities = (vectors @ queries.T) / np.linalg.norm(vectors, axis=1, keepdims=True)
        for name, selected in selections.items():
            places = np.arange(len(scene_ids)) if selected is None else np.flatnonzero(np.isin(scene_ids, selected))
            nearest[name] = merge_chunk(nearest[name], scene_ids[places], similarities[places])
    return nearest


def merge_chunk(nearest: Sequence[NearestScenes], scene_ids: SceneIds, similarities: NDArray[np.float32]) -> list[NearestScenes]:
    """Add scenes to the nearest of each query. The similarities have the shape (scenes, queries). Pure."""
    merged = []
    for number, before in enumerate(nearest):
        column = similarities[:, number]
        best = np.argpartition(-column, _KEPT)[:_KEPT] if len(column) > _KEPT else np.arange(len(column))
        merged.append(before.merge(scene_ids[best], column[best]))
    return merged


def pack_ids(ids: Sequence[UUID]) -> SceneIds:
    """Return ids as an array that can be compared and sorted. Pure."""
    return np.array([key.bytes for key in ids], "S16")


def _read_vectors(owner_id: UUID, space: "EmbeddingSpace") -> Iterator[tuple[SceneIds, NDArray[np.float32]]]:
    """Yield the ids of scenes and their vectors, shape (scenes, dimensions), in chunks."""
    from heimdex.database.copy_out import copy_out_raw
    from videos.models import SceneEmbedding

    rows = SceneEmbedding.objects.filter(owner_id=owner_id, space=space, state="embedded").values_list("scene_id", "vector")
    # Each column is preceded by its length (4 bytes), the vector by its dimensions and a zero (2 bytes each), and the row by 2 bytes.
    layout = np.dtype([("_1", "V6"), ("scene", "S16"), ("_2", "V8"), ("vector", ">f2", space.dimensions)])
    buffer: list[bytes] = []
    for row in copy_out_raw(rows):
        buffer.append(bytes(row))
        if len(buffer) == _CHUNK:
            yield _parse_rows(buffer, layout)
            buffer = []
    yield _parse_rows(buffer, layout)


def _parse_rows(rows: Sequence[bytes], layout: "np.dtype[np.void]") -> tuple[SceneIds, NDArray[np.float32]]:
    table = np.frombuffer(b"".join(rows), layout)
    return table["scene"], table["vector"].astype(np.float32)
