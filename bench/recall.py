"""L3: how many of the ten nearest scenes the search for vectors finds, against the comparison with every vector of the owner.

Queries are like the owner's scenes (a vector of theirs, and half as much noise) or unlike them (topics of others, and random directions).
Filters are one video, and the latest half, twentieth and two-hundredth of the videos by their day.
"""

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bench.benchmark import Figure, Goal, Group, Part, Round
from bench.exact_search import NearestScenes, find_exactly, pack_ids
from bench.scale_database import run_library_server
from bench.scale_library import MILLION
from bench.scale_vectors import make_topics

if TYPE_CHECKING:
    from videos.models import EmbeddingSpace
    from videos.search.conditions import SceneSelection

GOAL = 0.98
SIZES = (1_000, 10_000, 100_000, 500_000)
# Queries of each kind and space.
QUERIES = 10
SHARES = {"latest half": 0.5, "latest 5 %": 0.05, "latest 0.5 %": 0.005}


def run_rounds() -> Iterator[Round]:
    """Yield the lowest recall of all sizes, kinds of queries and filters."""
    with run_library_server() as server:
        library = server.connect(MILLION)
        parts = [part for size in SIZES for part in _measure_owner(size, library.owners[size][0].pk)]
    yield {"L3": summarize_recall(parts)}


def summarize_recall(parts: Sequence[Part]) -> Figure:
    """Return the figure of L3. Pure."""
    return Figure(min(part.value for part in parts), tuple(parts))


def make_queries(like: NDArray[np.float32], noise: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """Return queries of each kind, as many as there are vectors that some are to be like, shape (queries, dimensions). Pure."""
    count, dimensions = like.shape
    _, topics = make_topics(noise, dimensions)
    topics[:, 0] += 0.5
    others = topics[: count // 2]
    directions = noise.standard_normal((count - len(others), dimensions), dtype=np.float32)
    moved = noise.standard_normal((count, dimensions), dtype=np.float32)
    return {"like": _normalize(_normalize(like) + 0.5 * _normalize(moved)), "unlike": _normalize(np.concatenate([others, directions]))}


def _normalize(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _measure_owner(size: int, owner_id: UUID) -> list[Part]:
    """Return the mean recall over all spaces by kind of query and filter."""
    from videos.search.vectors import list_active_spaces

    selections = select_scenes_of(owner_id)
    ids = {name: _list_ids(selection) if selection.is_restricted else None for name, selection in selections.items()}
    recalls: dict[tuple[str, str], list[float]] = {}
    for number, space in enumerate(list_active_spaces(owner_id)):
        for kind, queries in make_queries(_draw_vectors(owner_id, space), np.random.default_rng(number)).items():
            nearest = find_exactly(owner_id, space, queries, ids)
            for name, selection in selections.items():
                recalls.setdefault((kind, name), []).extend(_measure_recall(owner_id, space, queries, nearest[name], selection))
    parts = [Part(f"{size:,} scenes, {kind} queries, {name}", fmean(values), GOAL) for (kind, name), values in recalls.items()]
    worst = min(parts, key=lambda part: part.value)
    print(f"    {worst.what}: {worst.value:.4f}", flush=True)
    return parts


def _measure_recall(
    owner_id: UUID, space: "EmbeddingSpace", queries: NDArray[np.float32], exact: Sequence[NearestScenes], selection: "SceneSelection"
) -> list[float]:
    return [nearest.compute_recall(find_first(owner_id, space, query, selection)) for query, nearest in zip(queries, exact, strict=True)]


def find_first(owner_id: UUID, space: "EmbeddingSpace", query: NDArray[np.float32], selection: "SceneSelection") -> list[UUID]:
    """Return the nearest scenes as a search finds them, nearest first."""
    from videos.search.nearest import NearestVectors
    from videos.search.packed_vectors import find_packed
    from videos.search.pools import POOL_SIZE

    packed = find_packed(owner_id, [space]).get(space.pk)
    vectors = NearestVectors(owner_id, selection.scenes, space, query, selection.is_restricted, packed)
    return [scene_id for scene_id, _, _ in vectors.find(POOL_SIZE)]


def select_scenes_of(owner_id: UUID) -> "dict[str, SceneSelection]":
    """Return the measured selections of an owner's scenes: all, those of one video, and those of the latest videos."""
    from videos.models import Video
    from videos.search.conditions import SearchFilters, select_scenes
    from videos.search.parsed_query import ParsedQuery

    videos = list(Video.objects.filter(owner_id=owner_id).order_by("-created_at").values_list("pk", "created_at"))
    everything = ParsedQuery()
    selections = {
        "no filter": select_scenes(owner_id, everything, SearchFilters()),
        "one video": select_scenes(owner_id, everything, SearchFilters(), video_id=videos[len(videos) // 2][0]),
    }
    for name, share in SHARES.items():
        _, since = videos[max(1, round(share * len(videos))) - 1]
        selections[name] = select_scenes(owner_id, everything, SearchFilters(uploaded_from=since.date()))
    return selections


def _list_ids(selection: "SceneSelection") -> NDArray[np.bytes_]:
    return pack_ids(list(selection.scenes.order_by().values_list("pk", flat=True)))


def _draw_vectors(owner_id: UUID, space: "EmbeddingSpace") -> NDArray[np.float32]:
    """Return some of the owner's vectors, always the same ones."""
    from videos.models import SceneEmbedding

    rows = SceneEmbedding.objects.filter(owner_id=owner_id, space=space).order_by("pk")
    step = rows.count() // QUERIES
    ids = list(rows.values_list("pk", flat=True))[step // 2 :: step][:QUERIES]
    vectors = SceneEmbedding.objects.filter(pk__in=ids).order_by("pk").values_list("vector", flat=True)
    return np.array(list(vectors), np.float32)


GROUP = Group(
    (
        Goal(
            "L3",
            "recall@10 of the vectors: the lowest of all owners' sizes, with and without filters, like and unlike queries (one round)",
            "comparison with every vector",
            GOAL,
            unit="",
        ),
    ),
    run_rounds,
    is_long=True,
)
