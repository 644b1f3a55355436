"""Gunicorn's ASGI worker, with a deadline for the headers of a request and for the end of a connection.

Gunicorn has neither, and its worker names the class of its connections in its module; so that name is replaced here.
`tests/heimdex/web` fails if a release of gunicorn changes what this relies on.
"""

import asyncio
import socket
from typing import Any

from django.conf import settings
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

# How much the kernel may hold for a client. Its default is megabytes, behind which a slow reader would look idle for minutes.
_MAX_UNSENT = 128 * 1024


class Connection(ASGIProtocol):  # type: ignore[misc]
    """A connection of a client."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.worker.nr_conns > self.worker.worker_connections and not self._make_room():
            transport.abort()
            return
        if transport.get_extra_info("socket").family in (socket.AF_INET, socket.AF_INET6):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MAX_UNSENT)
        # For the first request only: the time until the headers of the next one are complete is limited by `keepalive`.
        self._set_deadline(self.end)
        self.worker.silent_connections[self] = None

    def _make_room(self) -> bool:
        """Drop the connection whose first request is the latest: real clients send it at once. Return whether there was one."""
        oldest = next(iter(self.worker.silent_connections), None)
        if oldest is not None:
            del self.worker.silent_connections[oldest]
            oldest.transport.abort()
        return oldest is not None

    def end(self) -> None:
        """Close a connection that waits for a request."""
        self._keepalive_timeout()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.worker.silent_connections.pop(self, None)
        self._cancel_deadline()

    def _on_headers_complete(self) -> Any:
        self.worker.silent_connections.pop(self, None)
        self._cancel_deadline()
        return super()._on_headers_complete()

    def _build_http_scope(self, *arguments: Any) -> dict[str, Any]:
        return {**super()._build_http_scope(*arguments), "heimdex.abort": self.transport.abort}

    def _close_transport(self) -> None:
        super()._close_transport()
        if not self._conn_lost_handled:
            # It closes when the client has read the rest of the response.
            self._set_deadline(self.transport.abort)

    def _set_deadline(self, end: Any) -> None:
        self._cancel_deadline()
        self._deadline = self.worker.loop.call_later(settings.CLIENT_PATIENCE_SECONDS, end)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


gasgi.ASGIProtocol = Connection


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """Gunicorn's `worker_class`. `silent_connections` are those whose first request has not arrived, the oldest first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.silent_connections: dict[Connection, None] = {}

    async def _shutdown(self) -> None:
        # Browsers open connections in advance. There is nothing to wait for.
        for connection in tuple(self.silent_connections):
            connection.end()
        await super()._shutdown()
