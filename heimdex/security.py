"""Headers that protect this site's answers: the Content-Security-Policy of pages, and Cache-Control."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from heimdex.storage import get_media_storage

_HEADER = "Content-Security-Policy"
# Views whose pages contain a style element: Swagger UI. Django's debug pages contain scripts too and get no policy.
_INLINE_STYLES = {"docs"}


def add_content_security_policy(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that adds the policy to every HTML page whose view has not set one."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_debugging = settings.DEBUG and response.status_code >= 400
        if response.headers.get("Content-Type", "").startswith("text/html") and not is_debugging:
            inline_styles = request.resolver_match is not None and request.resolver_match.view_name in _INLINE_STYLES
            response.headers.setdefault(_HEADER, build_policy(get_media_storage().list_client_origins(), inline_styles=inline_styles))
        return response

    return respond


def forbid_storing(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that forbids browsers and proxies to store answers, unless the view has set how they may be cached."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return respond


def build_policy(origins: list[str], *, inline_styles: bool) -> str:
    """Return the policy of a page that loads media files from `origins` and this site."""
    files = " ".join(["'self'", *origins])
    rules = [
        "default-src 'self'",
        f"img-src {files} data:",
        f"media-src {files}",
        f"connect-src {files}",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ]
    return "; ".join([*rules, "style-src 'self' 'unsafe-inline'"] if inline_styles else rules)
