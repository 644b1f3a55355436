"""The limits of the lockout."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.utils import timezone

from heimdex.accounts.lockout import get_seconds_left

EMAIL, ADDRESS = "ann@example.com", "192.0.2.7"


def test_five_failures_lock_for_fifteen_minutes() -> None:
    assert (5, timedelta(minutes=15)) == (settings.AXES_FAILURE_LIMIT, settings.AXES_COOLOFF_TIME)


@pytest.mark.django_db
@pytest.mark.parametrize(("ago_s", "expected"), [(0, 900), (600, 300), (899.5, 1), (900, 1), (5000, 1)])
def test_the_remaining_time_counts_from_the_last_failure_and_is_at_least_a_second(ago_s: float, expected: int) -> None:
    for agent, seconds in (("one", ago_s), ("two", ago_s + 100)):
        attempt = AccessAttempt.objects.create(username=EMAIL, ip_address=ADDRESS, user_agent=agent, failures_since_start=1)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=timezone.now() - timedelta(seconds=seconds))
    assert abs(get_seconds_left(EMAIL, ADDRESS) - expected) <= 1
    assert get_seconds_left("bob@example.com", ADDRESS) == 1
    assert get_seconds_left(EMAIL, "192.0.2.8") == 1
