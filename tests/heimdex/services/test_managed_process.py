from hypothesis import given
from hypothesis import strategies as st

from heimdex.services.managed_process import MAX_DELAY_S, STABLE_S, compute_restart_delay_s, count_failures


def test_the_delay_grows_with_every_failure():
    assert [compute_restart_delay_s(failures) for failures in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(min_value=1, max_value=10**9))
def test_the_delay_is_bounded_after_any_number_of_failures(failures):
    assert 0 < compute_restart_delay_s(failures) <= MAX_DELAY_S


def test_a_long_healthy_run_resets_the_failures():
    assert count_failures(5, STABLE_S - 1) == 6
    assert count_failures(5, STABLE_S) == 1


def test_a_run_of_a_minute_is_healthy():
    assert [count_failures(5, uptime_s) for uptime_s in (59.9, 60.0)] == [6, 1]
