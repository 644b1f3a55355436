"""Overlap: inputs are prepared on threads while the model computes, and the caller keeps its own thread for the database."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")
Result = TypeVar("Result")

# Two keep a model on two cores busy; reading from S3 waits more than it works, so more would not hurt there either.
PREPARING_THREADS = 2
BATCHES_AHEAD = 2
# While a batch takes longer than this the caller is given its turn again and again: it keeps its lease, or stops when it is told to.
BEAT_S = 1.0


def overlapped(
    batches: Iterable[Sequence[Item]],
    prepare: Callable[[Item], Prepared],
    compute: Callable[[Sequence[Item], list[Prepared]], Result],
    beat: Callable[[], None],
) -> Iterator[Result]:
    """Yield `compute(batch, prepared)` for each batch, in order, computing one batch at a time and only when it is asked for.

    At most BATCHES_AHEAD batches are prepared beyond the one that is computed. `beat` is called in the caller's thread every BEAT_S
    while a batch is computed. `prepare` and `compute` run on threads and must not use the database. What any of the three raises
    ends all of it: what was waiting is dropped at once, and only calls that run already come to their own end.
    """
    preparing = ThreadPoolExecutor(PREPARING_THREADS, thread_name_prefix="prepare")
    computing = ThreadPoolExecutor(1, thread_name_prefix="compute")
    remaining = iter(batches)
    ahead: deque[tuple[Sequence[Item], list[Future[Prepared]]]] = deque()

    def fetch(count: int) -> None:
        while len(ahead) < count and (batch := next(remaining, None)) is not None:
            ahead.append((batch, [preparing.submit(prepare, item) for item in batch]))

    def run(batch: Sequence[Item], prepared: list[Future[Prepared]]) -> Result:
        return compute(batch, [future.result() for future in prepared])

    try:
        fetch(1)
        while ahead:
            computed = computing.submit(run, *ahead.popleft())
            fetch(BATCHES_AHEAD)
            while not wait([computed], timeout=BEAT_S).done:
                beat()
            yield computed.result()
    finally:
        preparing.shutdown(wait=False, cancel_futures=True)
        computing.shutdown(wait=False, cancel_futures=True)
