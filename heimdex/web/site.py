"""The ASGI application: it reads requests and sends responses at the pace of their clients, and lets Django answer."""

import asyncio
import json
from tempfile import SpooledTemporaryFile

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.template.defaultfilters import filesizeformat

from heimdex.web.client import CHUNK, Client, ClientGoneError, Receive, Scope, Send, SlowClientError
from heimdex.web.django_threads import DjangoThreads, Response, StreamedBody, build_environ
from heimdex.web.patience import Patience
from heimdex.web.uploads import FileThreads, receive_upload

log = structlog.get_logger(__name__)

LIVENESS = "/health/live"
_UPLOADS = "/v1/files/"
_FILE_THREADS = 8
# More than the largest body that Django accepts, so that its views explain the limit where they can.
_MAX_BODY = 4 * 1024**2


class Site:
    """`threads` requests are handled at a time, however many clients are connected."""

    def __init__(self, application: WSGIHandler, *, threads: int, patience: Patience) -> None:
        self._django, self._files = DjangoThreads(application, threads), FileThreads(_FILE_THREADS)
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        client = Client(receive, send, self._patience)
        try:
            await self._send(client, await self._respond(scope, client))
            await client.discard_body()
        except ClientGoneError:
            return
        except SlowClientError:
            await self._cut_off(scope, client)

    async def _respond(self, scope: Scope, client: Client) -> Response:
        if scope["path"] == LIVENESS:
            return _build_response(200, {"status": "ok"})
        if scope["method"] == "PUT" and scope["path"].startswith(_UPLOADS):
            return await receive_upload(scope, client, self._django, self._files)
        body = SpooledTemporaryFile(max_size=CHUNK)  # noqa: SIM115 (the thread that reads it closes it)
        async for chunk in client.read_body():
            body.write(chunk)
            if body.tell() > _MAX_BODY:
                limit = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
                return _build_error(413, f"The body is too large. The limit is {limit}.")
        body.seek(0)
        return await self._django.call(build_environ(scope, body))

    async def _send(self, client: Client, response: Response) -> None:
        await client.start_response(response.status, response.headers)
        if isinstance(response.body, bytes):
            await client.send_body(response.body, more=False)
            return
        try:
            await self._send_stream(client, response.body)
        finally:
            await self._files.run(response.body.close)

    async def _cut_off(self, scope: Scope, client: Client) -> None:
        log.info("Cut off a slow client", has_response=client.has_response)
        if client.has_response:
            # The client does not read what it has been sent, so there is no use in sending more.
            scope["heimdex.abort"]()
            # Gunicorn must notice first, or it would log that the response is incomplete.
            await asyncio.sleep(0)
        else:
            await self._send(client, _build_error(408, "The request arrived too slowly. Send it again over a faster connection."))

    async def _send_stream(self, client: Client, body: StreamedBody) -> None:
        gone = asyncio.ensure_future(client.wait_until_gone())
        try:
            while (part := await self._files.run(body.read_part)) is not None and not gone.done():
                await client.send_body(part, more=True)
            await client.send_body(b"", more=False)
        finally:
            gone.cancel()


def _build_error(status: int, message: str) -> Response:
    return _build_response(status, {"detail": message})


def _build_response(status: int, content: dict[str, str]) -> Response:
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if settings.SECURE_HSTS_SECONDS:
        # Django sends it with every other answer. Browsers ignore it over plain HTTP, where load balancers ask for the health.
        headers.append((b"strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}".encode()))
    return Response(status, headers, body)
