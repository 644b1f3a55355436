"""How long a call waits between attempts, and when the breaker opens and closes. The clock is the test's."""

import random
from collections.abc import Callable

import pytest

from heimdex.errors import ModelUnavailable
from heimdex.openai.retry import CircuitBreaker, RetryPolicy

POLICY = RetryPolicy(attempts=9, total_s=100.0, timeout_s=5.0)


class Clock:
    """A clock that stands still, and a condition whose wait advances it."""

    def __init__(self) -> None:
        self.time_s = 1000.0
        self.waits: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None
        self.notified = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time_s += seconds
        self.on_wait()

    def notify_all(self) -> None:
        self.notified += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("heimdex.openai.retry.monotonic", lambda: clock.time_s)
    monkeypatch.setattr("heimdex.openai.retry.threading.Condition", lambda: clock)
    return clock


def test_the_longest_wait_doubles_up_to_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    ranges: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        ranges.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", draw)
    assert [POLICY.wait_s(failed, None, 0.0) for failed in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert {low for low, _ in ranges} == {0}


def test_the_servers_wait_is_honored() -> None:
    assert POLICY.wait_s(1, 42.0, 0.0) == 42.0
    assert POLICY.wait_s(1, 0.0, 0.0) == 0.0


def test_the_last_attempt_is_not_followed_by_a_wait() -> None:
    policy = RetryPolicy(attempts=3, total_s=100.0, timeout_s=5.0)
    assert policy.wait_s(2, 1.0, 0.0) == 1.0
    assert policy.wait_s(3, 1.0, 0.0) is None
    assert policy.wait_s(4, 1.0, 0.0) is None


def test_a_wait_beyond_the_total_time_gives_up_at_once() -> None:
    assert POLICY.wait_s(1, 40.0, 60.0) == 40.0
    assert POLICY.wait_s(1, 40.5, 60.0) is None


def test_the_breaker_opens_after_failures_in_a_row(clock: Clock) -> None:
    breaker = CircuitBreaker(3)
    for _ in range(2):
        breaker.record_failure("It is down.")
    breaker.check()
    breaker.record_success()
    for _ in range(2):
        breaker.record_failure("It is down.")
    breaker.check()
    assert clock.notified == 0
    breaker.record_failure("It is on fire.")
    assert clock.notified == 1
    with pytest.raises(ModelUnavailable, match=r"^It is on fire\. \(3 calls failed in a row\.\)$"):
        breaker.check()


def test_an_open_breaker_admits_calls_after_thirty_seconds(clock: Clock) -> None:
    breaker = CircuitBreaker(1)
    breaker.record_failure("It is down.")
    clock.time_s += 29.9
    with pytest.raises(ModelUnavailable):
        breaker.check()
    clock.time_s += 0.1
    breaker.check()


def test_one_failure_opens_it_again_and_one_success_closes_it(clock: Clock) -> None:
    breaker = CircuitBreaker(3, reset_after_s=10.0)
    for _ in range(3):
        breaker.record_failure("It is down.")
    clock.time_s += 10.0
    breaker.check()
    breaker.check()
    breaker.record_failure("It is still down.")
    with pytest.raises(ModelUnavailable, match=r"still down\. \(3 calls"):
        breaker.check()
    clock.time_s += 10.0
    breaker.check()
    breaker.record_success()
    for _ in range(2):
        breaker.record_failure("It is down.")
    breaker.check()


def test_a_wait_lasts_the_requested_time(clock: Clock) -> None:
    CircuitBreaker(3).wait(7.0)
    assert clock.waits == [7.0]
    CircuitBreaker(3).wait(0.0)
    assert clock.waits == [7.0]


def test_a_pause_holds_all_callers(clock: Clock) -> None:
    breaker = CircuitBreaker(3)
    breaker.pause_callers(20.0)
    breaker.pause_callers(5.0)
    breaker.wait(1.0)
    breaker.wait(1.0)
    assert clock.waits == [20.0, 1.0]


def test_a_pause_extended_during_a_wait_counts(clock: Clock) -> None:
    breaker = CircuitBreaker(3)
    pauses = iter([4.0])
    clock.on_wait = lambda: breaker.pause_callers(next(pauses, 0.0))
    breaker.wait(1.0)
    assert clock.waits == [1.0, 4.0]


def test_a_wait_ends_as_soon_as_the_breaker_opens(clock: Clock) -> None:
    breaker = CircuitBreaker(1)
    clock.on_wait = lambda: breaker.record_failure("It is down.")
    with pytest.raises(ModelUnavailable):
        breaker.wait(10.0)
    assert clock.waits == [10.0]
