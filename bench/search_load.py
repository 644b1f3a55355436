"""Send searches to a web server at a fixed rate from several clients, and summarize how they went."""

import http.client
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from time import monotonic, sleep
from typing import TypeAlias
from urllib.parse import urlencode

# A rate that differs less is held: the last searches end after the period.
HELD_SHARE = 0.97


@dataclass(frozen=True)
class TimedSearch:
    """A search: when it was due, when it began, when its answer was complete (seconds), and the answer's status."""

    due_s: float
    began_s: float
    ended_s: float
    status: int

    @property
    def wait_s(self) -> float:
        """The seconds since the search was due, also those that its client still waited for an earlier answer."""
        return self.ended_s - self.due_s


@dataclass(frozen=True)
class Load:
    """How searches went: the median of their waits and the one that 95 % stay below (s), started searches per second, and failures."""

    median_s: float
    p95_s: float
    rate: float
    failed: int


# Sends one search and returns the status of its answer.
Send: TypeAlias = Callable[[], int]


def summarize_searches(searches: Sequence[TimedSearch]) -> Load:
    """Return how some searches went. Each has an equal share of the time until the last one ends. Pure."""
    waits = sorted(search.wait_s for search in searches)
    due = [search.due_s for search in searches]
    interval_s = (max(due) - min(due)) / max(1, len(due) - 1)
    lateness_s = max(0.0, max(search.began_s for search in searches) - max(due))
    period_s = max(due) - min(due) + interval_s + lateness_s
    return Load(
        median_s=median(waits),
        p95_s=waits[math.ceil(0.95 * len(waits)) - 1],
        rate=len(searches) / period_s if period_s else 0.0,
        failed=sum(search.status != 200 for search in searches),
    )


def run_clients(clients: Sequence[Send], rate: float, seconds: float) -> list[TimedSearch]:
    """Let clients take turns so that together they start `rate` searches a second. A client that is late sends its next one at once."""
    began = monotonic()
    count = round(rate * seconds)

    def run_client(number: int) -> list[TimedSearch]:
        searches = []
        for turn in range(number, count, len(clients)):
            due = began + turn / rate
            sleep(max(0.0, due - monotonic()))
            searches.append(_send(clients[number], due))
        return searches

    with ThreadPoolExecutor(len(clients)) as pool:
        return [search for searches in pool.map(run_client, range(len(clients))) for search in searches]


def run_alone(clients: Sequence[Send], count: int) -> list[TimedSearch]:
    """Send searches one after the other, each when the one before has ended."""
    return [_send(clients[number % len(clients)], monotonic()) for number in range(count)]


def _send(client: Send, due_s: float) -> TimedSearch:
    began = monotonic()
    status = client()
    return TimedSearch(due_s, began, monotonic(), status)


class SearchClient:
    """A client of the API with one connection, which sends one query after the other."""

    def __init__(self, port: int, token: str, queries: Sequence[str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Host": "127.0.0.1"}
        self._queries = iter(queries)

    def __call__(self) -> int:
        """Send the next query, read the answer, and return its status. Raise RuntimeError when a channel was left out."""
        path = f"/v1/search?{urlencode({'q': next(self._queries)})}"
        try:
            status, body = self._get(path)
        except http.client.RemoteDisconnected:
            # The server had closed the idle connection. As browsers do, connect again and send the request once more.
            status, body = self._get(path)
        if b"was left out" in body:
            raise RuntimeError(f"A channel was left out: {body[:1000].decode()}")
        return status

    def _get(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()
