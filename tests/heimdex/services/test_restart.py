from hypothesis import given
from hypothesis import strategies as st

from heimdex.services.restart import LONGEST_DELAY_S, STABLE_S, failures_after_exit, restart_delay_s


def test_a_service_that_keeps_ending_waits_longer_each_time():
    assert [restart_delay_s(failures) for failures in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(min_value=1, max_value=10**9))
def test_the_wait_is_bounded_however_often_it_ended(failures):
    assert 0 < restart_delay_s(failures) <= LONGEST_DELAY_S


def test_a_long_healthy_time_is_forgiven():
    assert failures_after_exit(5, STABLE_S - 1) == 6
    assert failures_after_exit(5, STABLE_S) == 1
