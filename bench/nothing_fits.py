"""Q8: how often search answers queries that nothing fits (set E), and how many answerable queries of A and B it still answers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.benchmark import Goal, Group, Part, Round, compute_smallest_margin
from bench.installation import empty_database
from bench.judged_library import Libraries, load_main_sets
from bench.judged_sets import load_unanswerable

if TYPE_CHECKING:
    from videos.search.service import SearchAnswer

LIBRARIES = ("A", "B")
GOALS = {"far": 0.10, "near": 0.40}
LEAST_KEPT = 0.95


def run_rounds() -> Iterator[Round]:
    """Yield one round, because nothing is random."""
    from videos.search.service import SearchRequest, search

    empty_database()
    libraries = Libraries()
    sets = load_main_sets(libraries.folder)
    for name in LIBRARIES:
        libraries.add(name, sets[name])
    libraries.embed()

    def is_answered(library: str, text: str) -> bool:
        return is_claim(search(libraries.get_owner(library), SearchRequest(text, ranking_only=True)))

    unanswerable = load_unanswerable(libraries.folder)
    parts = []
    for kind, goal in GOALS.items():
        claims = [is_answered(query.library, query.text) for query in unanswerable if query.kind == kind]
        parts.append(
            Part(f"{kind} queries: share of {len(claims)} answered as if something fitted", sum(claims) / len(claims), goal, False)
        )
    kept = [is_answered(name, query.text) for name in LIBRARIES for query in sets[name].queries]
    parts.append(Part(f"share of {len(kept)} answerable queries that are answered", sum(kept) / len(kept), LEAST_KEPT))
    yield {"Q8": compute_smallest_margin(parts)}


def is_claim(answer: "SearchAnswer") -> bool:
    """Return whether an answer claims that something fits."""
    return bool(answer.hits) and answer.fits


GROUP = Group(
    (
        Goal(
            "Q8", "answers to queries that nothing fits (E), while answerable ones are kept", "judgments", 0.0, "above its goals, at least"
        ),
    ),
    run_rounds,
)
