"""After a failure, one caller at a time tries again, ever more rarely."""

import pytest

from videos.search.lexical.opensearch import circuit
from videos.search.lexical.opensearch.circuit import Circuit


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, as a list that a test may change."""
    now = [100.0]
    monkeypatch.setattr(circuit, "monotonic", lambda: now[0])
    monkeypatch.setattr(circuit, "compute_probe_delay_s", lambda failures: 5.0 * 2**failures)
    return now


def test_after_a_failure_one_caller_at_a_time_tries_again(clock: list[float]) -> None:
    breaker = Circuit()
    assert breaker.admit()
    assert breaker.admit()
    assert breaker.record_failure()
    assert not breaker.admit()
    clock[0] += 5
    assert breaker.admit()
    assert not breaker.admit()
    assert not breaker.record_failure()
    clock[0] += 9
    assert not breaker.admit()
    clock[0] += 1
    assert breaker.admit()
    assert breaker.record_success()
    assert breaker.admit()
    assert not breaker.record_success()


def test_a_caller_that_never_returns_does_not_keep_others_out_for_ever(clock: list[float]) -> None:
    breaker = Circuit()
    breaker.record_failure()
    clock[0] += 5
    assert breaker.admit()
    clock[0] += 10
    assert breaker.admit()
