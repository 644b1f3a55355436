"""Limit failed logins: what django-axes counts, and the response to a locked-out client.

A few failures of a pair of e-mail address and client IP lock that pair out. Many more from one address, or for one account from any
address, exceed a rate (heimdex.accounts.login_attempts). Pages, session login, tokens and the admin share the counts.
"""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from heimdex.accounts.emails import canonicalize_email
from heimdex.accounts.rate_limits import RateExceeded, measure_wait_s
from heimdex.error_pages import render_too_many


def get_attempted_email(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str | None:
    """Return the e-mail address of a login attempt. It is canonical, so that guesses cannot be spread over spellings."""
    value = (credentials or {}).get("email") or (credentials or {}).get("username")
    return canonicalize_email(value) if isinstance(value, str) else None


def get_client_ip(request: HttpRequest) -> str | None:
    """Return the client's IP address, or None if the server has none (a Unix socket).

    `X-Forwarded-For` is trusted only behind a proxy, and only its last entry, which that proxy added.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        address = str(request.META.get("HTTP_X_FORWARDED_FOR", address)).rpartition(",")[2]
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return None


def get_client_network(request: HttpRequest) -> str | None:
    """Return the client's IPv4 address, or the /64 network of its IPv6 address, which one customer has to themselves (RFC 6177)."""
    address = get_client_ip(request)
    if address is None or ip_address(address).version == 4:
        return address
    return str(ip_network((address, 64), strict=False))


def get_seconds_left(email: str | None, address: str | None) -> int:
    """Return the seconds until the lockout ends, at least 1."""
    from axes.models import AccessAttempt

    last = AccessAttempt.objects.filter(username=email, ip_address=address).aggregate(last=Max("attempt_time"))["last"]
    if last is None:
        return 1
    left: timedelta = last + settings.AXES_COOLOFF_TIME - timezone.now()
    return max(1, ceil(left.total_seconds()))


def build_lockout_response(
    request: HttpRequest, original_response: HttpResponse | None, credentials: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Build a 429 response with the time to wait: JSON under /v1/, a page elsewhere."""
    exceeded = find_exceeded_rate(request, credentials)
    if exceeded:
        seconds, message = exceeded.wait_s, str(exceeded)
    else:
        seconds = get_seconds_left(get_attempted_email(request, credentials), get_client_ip(request))
        minutes = ceil(seconds / 60)
        message = f"Too many failed logins for this account. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    if not request.path.startswith("/v1/"):
        return render_too_many(request, "Too many failed logins", message, seconds)
    response = JsonResponse({"detail": message}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def list_rates(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """Return the rates that a failed login counts in: pairs of an action and who does it."""
    network, email = get_client_network(request), get_attempted_email(request, credentials)
    rates = [("failed_login_address", network), ("failed_login_account", email)]
    return [(action, subject) for action, subject in rates if subject]


def find_exceeded_rate(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> RateExceeded | None:
    """Return the exceeded rate that refuses a login, if there is one."""
    for action, subject in list_rates(request, credentials):
        if wait_s := measure_wait_s(action, subject):
            return RateExceeded(action, wait_s)
    return None
