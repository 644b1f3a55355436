"""Q9: whether the probability that search shows with a result is the share of such results that are relevant."""

from collections.abc import Iterator, Sequence

import numpy as np

from bench.benchmark import Figure, Goal, Group, Part, Round
from bench.installation import empty_database
from bench.judged_library import Libraries
from bench.judged_sets import load_unanswerable

DEPTH = 10
BINS = 10
GOAL = 0.05


def run_rounds() -> Iterator[Round]:
    """Yield one round, because nothing is random."""
    from videos.search.service import SearchRequest, search

    empty_database()
    libraries = Libraries()
    sets = libraries.add_each_set()
    libraries.embed()

    def list_shown(library: str, text: str, relevant: set[object]) -> list[tuple[float, bool]]:
        answer = search(libraries.get_owner(library), SearchRequest(text, limit=DEPTH, ranking_only=True))
        return [(hit.probability, hit.scene.pk in relevant) for hit in answer.hits]

    shown = {
        name: [
            pair
            for query in libraries.resolve(name, judged, in_films=False)
            for pair in list_shown(name, query.judged.text, {scene for scene, grade in query.grades.items() if grade > 0})
        ]
        for name, judged in sets.items()
    }
    shown["E"] = [pair for query in load_unanswerable(libraries.folder) for pair in list_shown(query.library, query.text, set())]
    parts = tuple(Part(f"{name}: {len(pairs)} results", compute_calibration_error(pairs), GOAL, False) for name, pairs in shown.items())
    yield {"Q9": Figure(compute_calibration_error([pair for pairs in shown.values() for pair in pairs]), parts)}


def compute_calibration_error(shown: Sequence[tuple[float, bool]]) -> float:
    """Return the expected calibration error of results with their probability and relevance, over BINS bins of equal width. Pure.

    Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning": the mean distance between the mean probability
    and the share of relevant results in each bin, weighted by the bin's results.
    """
    probabilities = np.array([probability for probability, _ in shown])
    relevant = np.array([is_relevant for _, is_relevant in shown], dtype=np.float64)
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return float(
        sum(
            (bins == number).mean() * abs(probabilities[bins == number].mean() - relevant[bins == number].mean())
            for number in np.unique(bins)
        )
    )


GROUP = Group(
    (
        Goal(
            "Q9", "expected calibration error (ECE) of the probability shown with a result", "judgments of A to E", GOAL, "", at_least=False
        ),
    ),
    run_rounds,
)
