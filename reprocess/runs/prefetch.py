"""Prepare inputs on threads while the model computes. The caller's thread stays free for the database."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")
Computed = TypeVar("Computed")

# Two threads keep a model on two cores busy.
PREPARING_THREADS = 2
BATCHES_AHEAD = 2
# The interval (seconds) at which the caller renews its lease, or stops, while a batch is computed.
HEARTBEAT_S = 1.0


def prefetch_and_compute(
    batches: Iterable[Sequence[Item]],
    prepare: Callable[[Item], Prepared],
    compute: Callable[[Sequence[Item], list[Prepared]], Computed],
    heartbeat: Callable[[], None],
) -> Iterator[Computed]:
    """Yield `compute(batch, prepared)` for each batch in order. A batch is computed only when the caller asks for it.

    At most BATCHES_AHEAD batches are prepared in advance. `heartbeat` runs in the caller's thread every HEARTBEAT_S while a batch is
    computed. `prepare` and `compute` run on threads and must not use the database. An exception in any of the three ends the iteration:
    waiting calls are dropped, and running calls finish in the background.
    """
    preparing = ThreadPoolExecutor(PREPARING_THREADS, thread_name_prefix="prepare")
    computing = ThreadPoolExecutor(1, thread_name_prefix="compute")
    remaining = iter(batches)
    ahead: deque[tuple[Sequence[Item], list[Future[Prepared]]]] = deque()

    def fetch(count: int) -> None:
        while len(ahead) < count and (batch := next(remaining, None)) is not None:
            ahead.append((batch, [preparing.submit(prepare, item) for item in batch]))

    def run(batch: Sequence[Item], prepared: list[Future[Prepared]]) -> Computed:
        return compute(batch, [future.result() for future in prepared])

    try:
        fetch(1)
        while ahead:
            computed = computing.submit(run, *ahead.popleft())
            fetch(BATCHES_AHEAD)
            while not wait([computed], timeout=HEARTBEAT_S).done:
                heartbeat()
            yield computed.result()
    finally:
        preparing.shutdown(wait=False, cancel_futures=True)
        computing.shutdown(wait=False, cancel_futures=True)
