"""Pages for requests that cannot be answered now: too many of them, a database that takes too long, or an outage."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from heimdex.accounts.rate_limits import RateExceeded
from heimdex.database.time_budget import TOO_SLOW, is_timeout
from heimdex.outages.answers import find_answer
from heimdex.outages.texts import RETRY_AFTER_S


class ErrorPagesMiddleware:
    """Answer some errors of pages with a sentence, and status 429 or 503. The API handles its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page, or None for other errors."""
        if isinstance(error, RateExceeded):
            return render_too_many(request, "Too many requests", str(error), error.wait_s)
        if is_timeout(error):
            page = render(request, "error.html", {"heading": "Not available now", "message": TOO_SLOW}, status=503)
            page["Retry-After"] = str(RETRY_AFTER_S)
            return page
        return answer_outage(request, error)


def answer_outage(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """Return the answer to a request that failed because of an outage: JSON under /v1/, a page elsewhere. None for other errors."""
    answer = find_answer(error)
    if answer is None:
        return None
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    if request.path.startswith("/v1/"):
        return JsonResponse({"detail": answer.message}, status=answer.status, headers=headers)
    # Without the request, because the page would read its user from the database.
    page = render_to_string("error.html", {"heading": "Not available now", "message": answer.message})
    return HttpResponse(page, status=answer.status, headers=headers)


def render_too_many(request: HttpRequest, heading: str, message: str, wait_s: int) -> HttpResponse:
    """Return a page of status 429 that says how long to wait."""
    response = render(request, "error.html", {"heading": heading, "message": message}, status=429)
    response["Retry-After"] = str(wait_s)
    return response
