"""L1 and L2: the processor time of a search beyond that of the query's model, for owners of several sizes in large installations.

Processor time is that of this process and of all processes of the database server; what the models take is measured by itself, before
and after. A query has three words, drawn by Zipf's law as the words of the scenes, without the 100 most frequent ones: half of what is
said are so few words, which a real language has as stop words and a real query does not have. No query is asked twice in a measurement,
and each measurement begins with some searches that do not count. NumPy and Torch compute with one thread: those of a pool that wait for
more work would take processor time for nothing.
"""

from collections.abc import Iterator, Sequence
from statistics import fmean
from time import process_time
from typing import TYPE_CHECKING

from bench.benchmark import Figure, Goal, Group, Part, Round, compute_smallest_margin
from bench.processor_time import ServerClock, time_query_models, use_one_thread
from bench.scale_database import run_library_server
from bench.scale_library import HUNDRED_THOUSAND, MILLION
from bench.scale_words import draw_queries

if TYPE_CHECKING:
    from heimdex.accounts.models import User

ROUNDS = 5
WARM_UP = 8
# Searches of a measurement, and the number of owners, who are asked in turn.
SEARCHES = 30
OWNERS = 10
# Milliseconds by the owner's number of scenes.
LIMITS_MS = {1_000: 70.0, 10_000: 90.0, 100_000: 200.0, 500_000: 400.0}
# The size of the owners that both libraries have.
SAME = 1_000


def run_rounds() -> Iterator[Round]:
    """Yield the time of a search by owner's size, and how much longer it takes in the large installation."""
    with use_one_thread(), run_library_server() as server:
        for number in range(ROUNDS):
            queries = draw_queries(WARM_UP + SEARCHES, seed=number)
            # Half of the small library is measured before and half after, so that a machine that slows down affects both sides.
            half = WARM_UP + SEARCHES // 2
            small_s = [_measure_search(server.connect(HUNDRED_THOUSAND).owners[SAME], queries[:half])]
            seconds = {SAME: _measure_search(server.connect(MILLION).owners[SAME], queries)}
            small_s += [_measure_search(server.connect(HUNDRED_THOUSAND).owners[SAME], queries[:WARM_UP] + queries[half:])]
            owners = server.connect(MILLION).owners
            seconds |= {size: _measure_search(owners[size], queries) for size in LIMITS_MS if size != SAME}
            yield {"L1": summarize_times(seconds), "L2": seconds[SAME] / fmean(small_s)}


def summarize_times(seconds: dict[int, float]) -> Figure:
    """Return the figure of L1 from the seconds of a search by owner's size. Pure."""
    return compute_smallest_margin(
        [Part(f"owner of {size:,} scenes, ms", 1000 * seconds[size], limit, at_least=False) for size, limit in LIMITS_MS.items()]
    )


def _measure_search(owners: "Sequence[User]", queries: Sequence[str]) -> float:
    """Return the mean seconds of processor time of a search after the first ones."""
    server = ServerClock()
    owners = owners[:OWNERS]
    for number, query in enumerate(queries[:WARM_UP]):
        search_completely(owners[number % len(owners)], query)
    counted = queries[WARM_UP:]
    # Half of the models' time is measured before and half after, so that a machine that slows down affects both sides.
    model_s = time_query_models(owners[0], counted[::2])
    began = server.read() + process_time()
    for number, query in enumerate(counted):
        search_completely(owners[number % len(owners)], query)
    search_s = (server.read() + process_time() - began) / len(counted)
    return search_s - (model_s + time_query_models(owners[0], counted[1::2])) / 2


def search_completely(owner: "User", query: str) -> None:
    """Search as the API does. Raise RuntimeError when a channel is left out."""
    from videos.search.requests import SearchRequest
    from videos.search.service import search

    answer = search(owner, SearchRequest(query))
    if left_out := [notice for notice in answer.notices if "left out" in notice]:
        raise RuntimeError(f"Searching {query!r} of {owner.email}: {' '.join(left_out)}")


GROUP = Group(
    (
        Goal(
            "L1",
            "processor time of a search beyond the query model's, owners of 1,000 to 500,000 scenes among 1,000,000",
            "limits by the size",
            0.0,
            unit="ms below its limits, at least",
        ),
        Goal(
            "L2",
            "processor time of a search for an owner of 1,000 scenes among 1,000,000",
            "the same among 100,000",
            1.1,
            at_least=False,
        ),
    ),
    run_rounds,
    is_long=True,
)
