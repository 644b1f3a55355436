"""Find the scenes of an owner that hold words of a query in one field, with their BM25 coverage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.contrib.postgres.search import SearchQueryField, SearchRank
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce

from heimdex.accounts.models import User
from videos.models import SceneWords, VideoWords
from videos.search.lexical.bm25 import FieldStats, compute_coverage, compute_idf, saturate
from videos.search.lexical.lexemes import count_positions, join_any
from videos.search.lexical.windows import WINDOW, Place, iter_window, spread
from videos.search.word_conditions import Matches

# A compound with a word, a part of it or a correction counts half as much as the word.
RELATED_WEIGHT = 0.5
# Rows that are ranked exactly, per field. Beyond it, rows with none of the rarer words of the query are left out.
MAX_CANDIDATES = 2000
# Scenes without the words are ranked by their neighbors only near the best of the scenes that hold them.
MAX_SEEDS = 400


@dataclass(frozen=True)
class Field:
    """A field of a scene's words: its column, those of its length, and the columns of `VideoWords` that sum the texts and their lengths."""

    column: str
    length: str
    count_sum: str
    length_sum: str
    is_windowed: bool = False


SPOKEN = Field("spoken", "spoken_window", "spoken_scenes", "spoken_windows", is_windowed=True)
SHOWN = Field("shown", "shown_count", "shown_scenes", "shown_words")
ON_SCREEN = Field("on_screen", "on_screen_count", "on_screen_scenes", "on_screen_words")
FIELDS = (SPOKEN, SHOWN, ON_SCREEN)


@dataclass(frozen=True)
class Lookup:
    """The quoted lexemes of one word of a query: its forms, related words, and how many scenes hold any of them in each field."""

    forms: tuple[str, ...]
    related: tuple[str, ...] = ()
    frequencies: Mapping[str, int] | None = None

    @property
    def query(self) -> str:
        """The text of a tsquery."""
        return join_any([*self.forms, *self.related])

    def count(self, vector: str) -> float:
        """Return how often a vector holds the word."""
        return max(count_positions(vector, self.forms), RELATED_WEIGHT * count_positions(vector, self.related))

    def get_frequency(self, field: Field) -> int:
        """Return how many scenes hold the word in a field."""
        return (self.frequencies or {}).get(field.column, 0)


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


def count_frequencies(owner_id: UUID, lookups: Sequence[Lookup]) -> list[Lookup]:
    """Return the lookups with the number of the owner's scenes that hold each, with one query that reads the index only for these words."""
    rows = SceneWords.objects.filter(owner_id=OuterRef("pk")).order_by().values("owner_id")
    counts = {
        f"{field.column}_{number}": Coalesce(
            Subquery(rows.filter(Matches(field.column, lookup.query)).annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0
        )
        for number, lookup in enumerate(lookups)
        for field in FIELDS
    }
    row = User.objects.filter(pk=owner_id).annotate(**counts).values(*counts).first() or dict.fromkeys(counts, 0)
    return [
        replace(lookup, frequencies={field.column: row[f"{field.column}_{number}"] for field in FIELDS})
        for number, lookup in enumerate(lookups)
    ]


def search_field(rows: QuerySet[SceneWords], field: Field, lookups: Sequence[Lookup], stats: FieldStats) -> list[ScoredScene]:
    """Return the scenes among `rows` that hold words of a query, or, in a field with windows, stand near such scenes. In no order."""
    present = [lookup for lookup in lookups if lookup.get_frequency(field)]
    if not present:
        return []
    idfs = [compute_idf(stats.count, lookup.get_frequency(field)) for lookup in lookups]
    idf_sum = sum(idfs)
    candidates = list(_select_candidates(rows, field, present))
    counts = [
        {(video_id, index): count for _, video_id, index, _, vector in candidates if (count := lookup.count(vector))} for lookup in lookups
    ]
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


def _select_candidates(
    rows: QuerySet[SceneWords], field: Field, present: Sequence[Lookup]
) -> QuerySet[SceneWords, tuple[UUID, UUID, int, float, str]]:
    """Return scene, video, index, length and vector of the rows with any of the rarest words, as many words as MAX_CANDIDATES allows."""
    rarest: list[Lookup] = []
    total = 0
    for lookup in sorted(present, key=lambda lookup: lookup.get_frequency(field)):
        total += lookup.get_frequency(field)
        if rarest and total > MAX_CANDIDATES:
            break
        rarest.append(lookup)
    matching = rows.filter(Matches(field.column, " | ".join(lookup.query for lookup in rarest)))
    if rarest[0].get_frequency(field) > MAX_CANDIDATES:
        query = Cast(Value(" | ".join(lookup.query for lookup in present)), SearchQueryField())
        rank = SearchRank(F(field.column), query, normalization=Value(1))
        matching = matching.order_by(rank.desc(), "video_id", "index")
    return matching.values_list("scene_id", "video_id", "index", field.length, field.column)[:MAX_CANDIDATES]


def _select_neighbors(rows: QuerySet[SceneWords], scored: Sequence[ScoredScene]) -> list[tuple[UUID, UUID, int, float]]:
    """Return scene, video, index and length of the scenes with speech near the best of the scored scenes, except these."""
    seeds = sorted(scored, key=lambda scene: -scene.score)[:MAX_SEEDS]
    known: set[Place] = {(scene.video_id, scene.index) for scene in scored}
    near: set[Place] = {(seed.video_id, index) for seed in seeds for index, _ in iter_window(seed.index)} - known
    if not near or len(WINDOW) == 1:
        return []
    nearby = rows.filter(video_id__in={video for video, _ in near}, index__in={index for _, index in near}, spoken_count__gt=0)
    near_rows = nearby.values_list("scene_id", "video_id", "index", "spoken_window")
    return [row for row in near_rows if (row[1], row[2]) in near]
