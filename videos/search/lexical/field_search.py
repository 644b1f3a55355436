"""Find the scenes of an owner that hold words of a query in one field, with their BM25 coverage."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Sum
from django.db.models.functions import JSONArray

from heimdex.database.any_of import IsAnyOf
from videos.models import SceneWords, VideoWords
from videos.search.lexical.bm25 import FieldStats, compute_coverage, compute_idf, saturate
from videos.search.lexical.candidates import CandidateSource
from videos.search.lexical.fields import FIELDS, Field, Lookup, list_present
from videos.search.lexical.windows import WINDOW, Place, iter_window, spread

# Scenes without the words are ranked by their neighbors only near the best of the scenes that hold them.
MAX_SEEDS = 400


@dataclass(frozen=True)
class ScoredScene:
    """A scene, its place, its coverage of the query in a field (0 to below 1), and whether it holds words of the query itself."""

    scene_id: UUID
    video_id: UUID
    index: int
    score: float
    is_match: bool = True


def load_stats(owner_id: UUID) -> dict[str, FieldStats]:
    """Return the statistics of an owner's library by field."""
    sums = {column: Sum(column) for field in FIELDS for column in (field.count_sum, field.length_sum)}
    totals = VideoWords.objects.filter(owner_id=owner_id).aggregate(**{f"total_{name}": value for name, value in sums.items()})
    return {field.column: _build_stats(totals[f"total_{field.count_sum}"], totals[f"total_{field.length_sum}"]) for field in FIELDS}


def search_field(
    source: CandidateSource, rows: QuerySet[SceneWords], field: Field, lookups: Sequence[Lookup], stats: FieldStats
) -> list[ScoredScene]:
    """Return the scenes among `rows` that hold words of a query, or, in a field with windows, stand near such scenes. In no order."""
    if not list_present(lookups, field):
        return []
    idfs = [compute_idf(stats.count, lookup.get_frequency(field)) for lookup in lookups]
    idf_sum = sum(idfs)
    candidates = source.select(rows, field, lookups)
    counts = [{(row.video_id, row.scene_index): count for row in candidates if (count := lookup.count(row.vector))} for lookup in lookups]
    if field.is_windowed:
        counts = [spread(frequencies) for frequencies in counts]

    def score(scenes: Iterable[tuple[UUID, UUID, int, float]], *, is_match: bool) -> list[ScoredScene]:
        return [
            ScoredScene(
                scene_id,
                video_id,
                index,
                compute_coverage(
                    (
                        (idf, saturate(frequencies.get((video_id, index), 0.0), length, stats.mean_length))
                        for idf, frequencies in zip(idfs, counts, strict=True)
                    ),
                    idf_sum,
                ),
                is_match,
            )
            for scene_id, video_id, index, length in scenes
        ]

    scored = score((row[:4] for row in candidates), is_match=True)
    if field.is_windowed:
        scored += score(_select_neighbors(rows, scored), is_match=False)
    return scored


def _build_stats(count: int | None, length: float | None) -> FieldStats:
    return FieldStats(count or 0, (length or 0.0) / count if count else 1.0)


def _select_neighbors(rows: QuerySet[SceneWords], scored: Sequence[ScoredScene]) -> list[tuple[UUID, UUID, int, float]]:
    """Return scene, video, index and length of the scenes with speech near the best of the scored scenes, except these."""
    seeds = sorted(scored, key=lambda scene: -scene.score)[:MAX_SEEDS]
    known: set[Place] = {(scene.video_id, scene.index) for scene in scored}
    near: set[Place] = {(seed.video_id, index) for seed in seeds for index, _ in iter_window(seed.index)} - known
    if not near or len(WINDOW) == 1:
        return []
    reach = len(WINDOW) - 1
    window = rows.filter(
        video=OuterRef("video"), index__gte=OuterRef("index") - reach, index__lte=OuterRef("index") + reach, spoken_count__gt=0
    )
    # A subquery is looked up for each seed. A join may read all rows of the owner.
    near_rows = ArraySubquery(window.order_by().values(row=JSONArray("scene_id", "index", "spoken_window")))
    windows = SceneWords.objects.filter(IsAnyOf("pk", [seed.scene_id for seed in seeds])).order_by().values_list("video_id", near_rows)
    by_place = {(video_id, row[1]): row for video_id, rows_near_seed in windows for row in rows_near_seed}
    return [(UUID(row[0]), *place, row[2]) for place, row in by_place.items() if place in near]
