"""Q1 to Q5: how well search ranks the judged sets, alone and in a joined library, and what fusion gains over the best channel."""

from collections.abc import Iterator, Sequence

from bench.benchmark import Figure, Goal, Group, Part, Round, compute_smallest_margin
from bench.installation import empty_database
from bench.judged_library import Libraries, load_main_sets
from bench.judged_sets import LANGUAGES, JudgedSet, load_sentences
from videos.evaluation.report import SummaryRow

# The languages of D without English.
OTHER_LANGUAGES = LANGUAGES[1:]
LEAST_GAIN, LEAST_GAIN_ON_C = -0.01, 0.08
BACKEND = "default"


def run_rounds() -> Iterator[Round]:
    """Yield one round, because nothing is random."""
    empty_database()
    libraries = Libraries()
    sets = load_main_sets(libraries.folder)
    native = {language: load_sentences(libraries.folder, language, language) for language in LANGUAGES}
    for name, judged in sets.items():
        libraries.add(name, judged)
    libraries.add("A and B", sets["A"], sets["B"])
    for language, judged in native.items():
        libraries.add(f"D {language}", judged)
    libraries.embed()
    rows = {name: evaluate(libraries, name, judged) for name, judged in sets.items()}
    joined = {f"{name} in the library of A and B": evaluate(libraries, "A and B", sets[name], in_films=False) for name in ("A", "B")}
    languages = {f"D {language}": evaluate(libraries, f"D {language}", judged) for language, judged in native.items()}
    gains = [
        part
        for name, measured in {**rows, **joined, **languages}.items()
        for part in list_gains(name, measured, LEAST_GAIN_ON_C if name == "C" else LEAST_GAIN)
    ]
    native_parts = tuple(make_part(f"D {name}, R@1", get_fusion(languages[f"D {name}"]), "r_1", 0.72) for name in OTHER_LANGUAGES)
    yield {
        "Q1": compute_smallest_margin(gains),
        "Q2": compute_smallest_margin(
            [
                make_part("A in the right meeting, nDCG@10", get_fusion(rows["A"], "video"), "ndcg_10", 0.52),
                make_part("A in the whole library, nDCG@10", get_fusion(rows["A"]), "ndcg_10", 0.35),
                make_part("A in the right meeting, R@1", get_fusion(rows["A"], "video"), "r_1", 0.60),
                make_part("A in the whole library, R@1", get_fusion(rows["A"]), "r_1", 0.42),
            ]
        ),
        "Q3": compute_smallest_margin(_list_parts("B", rows["B"], 0.52, 0.50)),
        "Q4": compute_smallest_margin(_list_parts("C", rows["C"], 0.91, 0.80)),
        "Q5": Figure(min(part.value for part in native_parts), native_parts),
    }


def evaluate(libraries: Libraries, name: str, judged: JudgedSet, *, in_films: bool = True) -> Sequence[SummaryRow]:
    """Search a library with the queries of a set, print the means, and return the rows. Raise RuntimeError when a channel was left out."""
    from videos.evaluation.library import evaluate_library

    evaluation = evaluate_library(libraries.get_owner(name), libraries.resolve(name, judged, in_films=in_films), [BACKEND])
    if evaluation.notices:
        raise RuntimeError(" ".join(evaluation.notices))
    for row in evaluation.rows:
        if row.query_class == "all" and not row.against:
            ndcg, first = row.estimates["ndcg_10"], row.estimates["r_1"]
            place = "in its film" if row.scope.place == "video" else ""
            ranking = f"{row.kind} {row.name}"
            print(f"    {judged.name:<5} in {name:<8} {place:<11} {ranking:<20} nDCG@10 {ndcg.mean:.3f}  R@1 {first.mean:.3f}", flush=True)
    return evaluation.rows


def get_fusion(rows: Sequence[SummaryRow], place: str = "library") -> SummaryRow:
    """Return the row of all queries as search answers them."""
    return next(
        row
        for row in rows
        if (row.scope.place, row.query_class, row.kind, row.name) == (place, "all", "mode", "fusion") and not row.against
    )


def list_gains(name: str, rows: Sequence[SummaryRow], goal: float) -> list[Part]:
    """Return what fusion gains over the best channel in nDCG@10, in the library and, if the queries name films, in these."""
    return [
        make_part(f"{name}{' in its film' if row.scope.place == 'video' else ''}, fusion minus {row.against}", row, "ndcg_10", goal)
        for row in rows
        if row.query_class == "all" and row.against
    ]


def make_part(what: str, row: SummaryRow, measure: str, goal: float) -> Part:
    """Return a measure of a row as a part of a goal."""
    estimate = row.estimates[measure]
    return Part(what, estimate.mean, goal, interval=(estimate.low, estimate.high))


def _list_parts(name: str, rows: Sequence[SummaryRow], ndcg: float, first: float) -> list[Part]:
    row = get_fusion(rows)
    return [make_part(f"{name}, nDCG@10", row, "ndcg_10", ndcg), make_part(f"{name}, R@1", row, "r_1", first)]


MARGIN = "above its goals, at least"
GROUP = Group(
    (
        Goal("Q1", "fusion on each judged set and language, and in a joined library, nDCG@10", "the best channel", 0.0, MARGIN),
        Goal("Q2", "speech of meetings (A): nDCG@10 and R@1, in the right meeting and in the library", "judgments", 0.0, MARGIN),
        Goal("Q3", "images (B): nDCG@10 and R@1", "judgments", 0.0, MARGIN),
        Goal("Q4", "speech and image together (C): nDCG@10 and R@1", "judgments", 0.0, MARGIN),
        Goal("Q5", "queries and speech in one of five languages (D): the lowest R@1", "judgments", 0.72, ""),
    ),
    run_rounds,
)
