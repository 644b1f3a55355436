"""The client of one request: bytes from it and to it, for as long as the patience with it lasts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from heimdex.web.patience import Patience

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Result = TypeVar("Result")

# Small enough that a slow reader shows progress, and that a thousand of them fit into memory.
CHUNK = 64 * 1024
# A client that is refused may still be sending. Closing at once would reset the connection before it reads why.
_DISCARD_S = 5


class SlowClientError(Exception):
    """The patience with the client has ended."""


class ClientGoneError(Exception):
    """The connection was lost."""


class Client:
    """`patience` holds for the body of the request; the response starts with the same again."""

    def __init__(self, receive: Receive, send: Send, patience: Patience) -> None:
        self._receive, self._send = receive, send
        self._limits = self._patience = patience
        self._is_body_complete = False
        self.has_response = False

    async def read_body(self) -> AsyncIterator[bytes]:
        """Yield the body in chunks. Raise SlowClientError or ClientGoneError."""
        while not self._is_body_complete:
            message = await self._wait_for(self._receive())
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            self._is_body_complete = not message.get("more_body", False)
            if chunk := message.get("body", b""):
                self._patience = self._patience.spend(0, len(chunk))
                yield chunk

    async def start_response(self, status: int, headers: Headers) -> None:
        """Send the status and the headers."""
        self._patience, self.has_response = self._limits, True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send_body(self, chunk: bytes, *, more: bool) -> None:
        """Send a part of the response's body, and wait until the connection takes more. Raise SlowClientError."""
        parts = [chunk[start : start + CHUNK] for start in range(0, len(chunk), CHUNK)] or [b""]
        for index, part in enumerate(parts, 1):
            await self._wait_for(self._send({"type": "http.response.body", "body": part, "more_body": more or index < len(parts)}))
            self._patience = self._patience.spend(0, len(part))

    async def discard_body(self) -> None:
        """Read what the client still sends after it was answered, for some seconds."""
        try:
            async with asyncio.timeout(_DISCARD_S):
                async for _ in self.read_body():
                    pass
        except (TimeoutError, SlowClientError, ClientGoneError):
            return

    async def wait_until_gone(self) -> None:
        """Return when the client has closed the connection. Its body must have been read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _wait_for(self, action: Awaitable[Result]) -> Result:
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            async with asyncio.timeout(max(self._patience.left_s, 0)):
                result = await action
        except TimeoutError as error:
            raise SlowClientError from error
        self._patience = self._patience.spend(clock() - start, 0)
        return result
