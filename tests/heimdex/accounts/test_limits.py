"""The limits of the lockout."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import RequestFactory, override_settings
from django.utils import timezone

from heimdex.accounts.lockout import build_lockout_response, get_attempted_email, get_client_ip, get_client_network, get_seconds_left

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


@pytest.mark.parametrize(("ago_s", "expected"), [(0.0, 900), (0.5, 900), (1.0, 899), (898.5, 2), (899.0, 1), (900.0, 1), (2000.0, 1)])
def test_the_time_left_is_rounded_up(ago_s: float, expected: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    attempts = mock.Mock(aggregate=lambda **_: {"last": now - timedelta(seconds=ago_s)})
    with (
        mock.patch("axes.models.AccessAttempt.objects", filter=lambda **_: attempts),
        mock.patch("heimdex.accounts.lockout.timezone.now", return_value=now),
    ):
        assert get_seconds_left(EMAIL, ADDRESS) == expected


def test_without_an_attempt_a_second_is_left() -> None:
    attempts = mock.Mock(aggregate=lambda **_: {"last": None})
    with mock.patch("axes.models.AccessAttempt.objects", filter=lambda **_: attempts):
        assert get_seconds_left(EMAIL, ADDRESS) == 1


def test_outside_of_the_api_a_lockout_is_a_page() -> None:
    with (
        mock.patch("heimdex.accounts.lockout.find_exceeded_rate", return_value=None),
        mock.patch("heimdex.accounts.lockout.get_seconds_left", return_value=60),
        mock.patch("heimdex.error_pages.render", return_value={}) as render,
    ):
        build_lockout_response(RequestFactory().post("/accounts/login/"), None, {"username": EMAIL})
    assert render.call_args.args[1] == "error.html"
    assert render.call_args.kwargs == {"status": 429}


@pytest.mark.parametrize(("seconds", "minutes"), [(1, "1 minute."), (60, "1 minute."), (61, "2 minutes."), (900, "15 minutes.")])
def test_a_lockout_names_the_minutes_and_the_seconds(seconds: int, minutes: str) -> None:
    with (
        mock.patch("heimdex.accounts.lockout.find_exceeded_rate", return_value=None),
        mock.patch("heimdex.accounts.lockout.get_seconds_left", return_value=seconds),
    ):
        response = build_lockout_response(RequestFactory().post("/v1/auth/login"), None, {"email": EMAIL})
    assert (response.status_code, response["Retry-After"]) == (429, str(seconds))
    assert f"Try again in {minutes}".encode() in response.content


def test_the_email_of_an_attempt_is_canonical() -> None:
    request = RequestFactory().post("/")
    assert get_attempted_email(request, {"email": " Ann@Example.com"}) == EMAIL
    assert get_attempted_email(request, {"username": EMAIL}) == EMAIL
    assert get_attempted_email(request, {"email": 5}) is None
    assert get_attempted_email(request) is None


def test_the_address_of_a_client_is_the_proxys_word_only_behind_a_proxy() -> None:
    factory = RequestFactory()
    forwarded = factory.get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="10.0.0.1, 198.51.100.1")
    assert get_client_ip(forwarded) == "192.0.2.1"
    assert get_client_ip(factory.get("/", REMOTE_ADDR="")) is None
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert get_client_ip(forwarded) == "198.51.100.1"
        assert get_client_ip(factory.get("/", REMOTE_ADDR="192.0.2.1")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"), ("2001:db8:0:1::", "2001:db8:0:1::/64"), ("", None)],
)
def test_a_customer_with_ipv6_is_their_network(address: str, network: str | None) -> None:
    assert get_client_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network
