"""Call Django's WSGI application from the event loop, on a fixed number of threads.

Django's own ASGI handler starts a thread, and with it a database connection, for every request.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from django.http import HttpResponseBase, StreamingHttpResponse

from heimdex.web.client import Headers, Scope

Environ = dict[str, Any]


class StreamedBody:
    """The body of a streaming response. The event loop asks for its parts, so that a slow reader occupies no thread.

    Middleware binds variables of the log while the response is read, so all parts are read in one context, on whatever thread.
    """

    def __init__(self, response: StreamingHttpResponse) -> None:
        self._parts, self._close = iter(response), response.close
        self._context = copy_context()

    def read_part(self) -> bytes | None:
        """Return the next part, and None at the end."""
        return self._context.run(next, self._parts, None)

    def close(self) -> None:
        """End the response."""
        self._context.run(self._close)


@dataclass(frozen=True)
class Response:
    """What Django has answered."""

    status: int
    headers: Headers
    body: bytes | StreamedBody


class DjangoThreads:
    """`count` requests run at a time; others wait for their turn."""

    def __init__(self, application: WSGIHandler, count: int) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="django")

    async def call(self, environ: Environ) -> Response:
        """Return Django's response to a request whose body has been read."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, environ)

    def _call(self, environ: Environ) -> Response:
        with environ["wsgi.input"]:
            response = self._application(environ, _ignore)
            if isinstance(response, StreamingHttpResponse) and environ["REQUEST_METHOD"] != "HEAD":
                body: bytes | StreamedBody = StreamedBody(response)
                # Otherwise the end of the response does so, which comes later and not on this thread.
                close_old_connections()
            else:
                body = _read_all(response, environ["REQUEST_METHOD"])
        cookies = [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (*response.items(), *cookies)]
        return Response(response.status_code, headers, body)


def _ignore(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
    """Do nothing: Django returns its response, which has the status and the headers too."""
    return len


def _read_all(response: HttpResponseBase, method: str) -> bytes:
    try:
        return b"" if method == "HEAD" else b"".join(response)
    finally:
        response.close()


def build_environ(scope: Scope, body: IO[bytes]) -> Environ:
    """Return the WSGI variables of a request, as bytes in Latin-1 (PEP 3333)."""
    host, port = scope.get("server") or ("localhost", None)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for encoded_name, encoded_value in scope["headers"]:
        if b"_" in encoded_name:
            # X_Forwarded_For would pass for X-Forwarded-For, which only a proxy may set.
            continue
        name, value = encoded_name.decode("latin-1").upper().replace("-", "_"), encoded_value.decode("latin-1")
        key = name if name in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{name}"
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    return environ
