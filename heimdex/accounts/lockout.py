"""Limit failed logins: what django-axes counts, and the response to a locked-out client.

Failures are counted per pair of e-mail address and client IP, so nobody can lock out another person from elsewhere. Pages, session
login, tokens and the admin share one count.
"""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from math import ceil
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from heimdex.accounts.emails import canonicalize_email


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
    seconds = get_seconds_left(get_attempted_email(request, credentials), get_client_ip(request))
    minutes = ceil(seconds / 60)
    message = f"Too many failed logins for this account. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    response: HttpResponse
    if request.path.startswith("/v1/"):
        response = JsonResponse({"detail": message}, status=429)
    else:
        response = render(request, "registration/locked_out.html", {"message": message}, status=429)
    response["Retry-After"] = str(seconds)
    return response
