"""Show on a page that a rate is exceeded."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from heimdex.accounts.rate_limits import RateExceeded


class RateLimitMiddleware:
    """Answer a page's RateExceeded with status 429. The API handles its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page, or None for other errors."""
        if not isinstance(error, RateExceeded):
            return None
        return render_too_many(request, "Too many requests", str(error), error.wait_s)


def render_too_many(request: HttpRequest, heading: str, message: str, wait_s: int) -> HttpResponse:
    """Return a page of status 429 that says how long to wait."""
    response = render(request, "429.html", {"heading": heading, "message": message}, status=429)
    response["Retry-After"] = str(wait_s)
    return response
