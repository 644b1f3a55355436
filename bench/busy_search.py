"""L4: the waits of searches while 16 clients together start 12 a second, against those of one client.

Server, database and clients share two cores. A wait begins when the search is due, even if its client still waits for an earlier answer.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bench.benchmark import Goal, Group, Round
from bench.scale_database import run_library_server
from bench.scale_library import MILLION
from bench.scale_words import draw_queries
from bench.search_load import HELD_SHARE, Load, SearchClient, run_alone, run_clients, summarize_searches
from bench.web_server import run_web_server, use_two_cores

if TYPE_CHECKING:
    from heimdex.accounts.models import User

ROUNDS = 5
CLIENTS, RATE, SECONDS = 16, 12.0, 30.0
# Searches of one client in a round, which ask the owners in turn: each may ask 240 times a minute.
ALONE = 32
WARM_UP = 32
OWNER_SIZE = 1_000


def run_rounds() -> Iterator[Round]:
    """Yield the ratio of the waits. Raise RuntimeError when a search fails or the rate is not held."""
    with use_two_cores(), run_library_server() as server:
        owners = server.connect(MILLION).owners[OWNER_SIZE][:CLIENTS]
        with run_web_server() as port:
            run_alone(_connect_clients(port, owners, seed=ROUNDS), WARM_UP)
            for number in range(ROUNDS):
                clients = _connect_clients(port, owners, seed=number)
                alone = summarize_searches(run_alone(clients, ALONE))
                together = summarize_searches(run_clients(clients, RATE, SECONDS))
                yield {"L4": compare_loads(alone, together)}


def compare_loads(alone: Load, together: Load) -> float:
    """Return the wait that 95 % of all clients' searches stay below, in medians of one client. Raise RuntimeError for what is not held."""
    if failed := alone.failed + together.failed:
        raise RuntimeError(f"{failed} searches were not answered")
    if together.rate < HELD_SHARE * RATE:
        raise RuntimeError(
            f"{together.rate:.1f} instead of {RATE:g} searches a second were started; "
            f"95 % took less than {together.p95_s:.2f} s, and one client's median is {alone.median_s:.2f} s"
        )
    return together.p95_s / alone.median_s


def _connect_clients(port: int, owners: "Sequence[User]", seed: int) -> list[SearchClient]:
    """Return a client for each owner, with queries for a round."""
    from rest_framework_simplejwt.tokens import AccessToken

    each = round(RATE * SECONDS / len(owners)) + ALONE // len(owners) + 2
    queries = draw_queries(each * len(owners), seed)
    return [
        SearchClient(port, str(AccessToken.for_user(owner)), queries[number * each : (number + 1) * each])
        for number, owner in enumerate(owners)
    ]


GROUP = Group(
    (
        Goal(
            "L4",
            "the wait that 95 % of searches stay below, 16 clients that start 12 a second, owners of 1,000 scenes, two cores",
            "median of one client",
            6.0,
            at_least=False,
        ),
    ),
    run_rounds,
    is_long=True,
)
