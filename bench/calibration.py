"""Q9: whether the probability that search shows with a result is the share of such results that are relevant."""

from collections.abc import Iterator

from bench.benchmark import BenchmarkUnavailable, Goal, Group, Round


def run_rounds() -> Iterator[Round]:
    """Raise BenchmarkUnavailable: there is nothing to measure yet."""
    raise BenchmarkUnavailable(
        "Search shows a fused score with each result, which is not a probability, so that nothing can be calibrated."
    )


GROUP = Group(
    (Goal("Q9", "expected calibration error (ECE) of the probability shown with a result", "judgments", 0.05, "", at_least=False),),
    run_rounds,
)
