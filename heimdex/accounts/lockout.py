"""How guessing log-ins is limited: what django-axes counts, and what a locked-out client is told.

Failures are counted per e-mail address and client address together, so that nobody can lock another person
out from elsewhere. Pages, session log-in, tokens and the admin share one count.
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

from heimdex.accounts.emails import canonical_email


def attempted_email(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str | None:
    """Return the address an attempt was for, in its canonical spelling, or guesses could be spread over spellings."""
    value = (credentials or {}).get("email") or (credentials or {}).get("username")
    return canonical_email(value) if isinstance(value, str) else None


def client_ip(request: HttpRequest) -> str | None:
    """Return the address of the client; None where the server knows none (a Unix socket).

    `X-Forwarded-For` is believed only behind a proxy, and only its last entry, which that proxy wrote itself.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        address = str(request.META.get("HTTP_X_FORWARDED_FOR", address)).rpartition(",")[2]
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return None


def seconds_left(email: str | None, address: str | None) -> int:
    """Return for how many seconds a lock still holds, at least 1."""
    from axes.models import AccessAttempt

    last = AccessAttempt.objects.filter(username=email, ip_address=address).aggregate(last=Max("attempt_time"))["last"]
    if last is None:
        return 1
    left: timedelta = last + settings.AXES_COOLOFF_TIME - timezone.now()
    return max(1, ceil(left.total_seconds()))


def locked_out(request: HttpRequest, original_response: HttpResponse | None, credentials: Mapping[str, Any] | None = None) -> HttpResponse:
    """Answer 429 with the time to wait: as JSON under /v1/, as a page elsewhere."""
    seconds = seconds_left(attempted_email(request, credentials), client_ip(request))
    minutes = ceil(seconds / 60)
    message = f"Too many failed log-ins for this account. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    response: HttpResponse
    if request.path.startswith("/v1/"):
        response = JsonResponse({"detail": message}, status=429)
    else:
        response = render(request, "registration/locked_out.html", {"message": message}, status=429)
    response["Retry-After"] = str(seconds)
    return response
