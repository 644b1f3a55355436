"""What a browser may load and do on the pages of this site."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from heimdex.storage.options import LocalOptions, S3Options

_HEADER = "Content-Security-Policy"
# Swagger UI has a style element, and so have Django's own error pages, with scripts too, which only DEBUG shows.
_INLINE_STYLES = {"docs"}


def content_security_policy(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: give each HTML page its Content-Security-Policy, unless its view has set one."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_debugging = settings.DEBUG and response.status_code >= 400
        if response.headers.get("Content-Type", "").startswith("text/html") and not is_debugging:
            inline_styles = request.resolver_match is not None and request.resolver_match.view_name in _INLINE_STYLES
            response.headers.setdefault(_HEADER, page_policy(media_origins(settings.MEDIA_STORAGE), inline_styles=inline_styles))
        return response

    return respond


def page_policy(origins: list[str], *, inline_styles: bool) -> str:
    """Return the policy of a page that shows media files of `origins` besides this site's own. Pure."""
    files = " ".join(["'self'", *origins])
    rules = [
        "default-src 'self'",
        f"img-src {files} data:",
        f"media-src {files}",
        f"connect-src {files}",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    ]
    return "; ".join([*rules, "style-src 'self' 'unsafe-inline'"] if inline_styles else rules)


def media_origins(options: LocalOptions | S3Options) -> list[str]:
    """Return where clients fetch files from and send them to, if not only to this site: scheme, host and port. Pure."""
    address = options.public_url if isinstance(options, LocalOptions) else options.public_endpoint_url or options.endpoint_url
    if address:
        parts = urlsplit(address)
        return [f"{parts.scheme}://{parts.netloc}"]
    if isinstance(options, LocalOptions):
        return []
    # Amazon sends requests for a young bucket from the first name to the second. A name with dots fits no certificate: it is in the path.
    bucket = "" if "." in options.bucket else f"{options.bucket}."
    return [f"https://{bucket}s3.amazonaws.com", f"https://{bucket}s3.{options.region}.amazonaws.com"]
