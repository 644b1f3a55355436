"""Shared by all small servers of OpenAI's protocol: prepared answers, and how they are sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NO_MODELS = '{"object": "list", "data": []}'


@dataclass(frozen=True)
class Answer:
    """One prepared answer. A body of None gives the default answer, and `drop` breaks the connection."""

    status: int = 200
    body: str | None = '{"error": {"message": "prepared by the test", "type": "test", "code": null, "param": null}}'
    headers: tuple[tuple[str, str], ...] = (("Retry-After-Ms", "1"),)
    after_s: float = 0.0
    drop: bool = False


class ProtocolHandler(BaseHTTPRequestHandler):
    """Sends prepared answers, delayed or not at all if they say so."""

    def read_content(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def prepare(self, answer: Answer, otherwise: Callable[[], str]) -> str | None:
        """Wait as long as the answer says and return its body, or `otherwise`; None when the connection is broken instead."""
        time.sleep(answer.after_s)
        if answer.drop:
            self.connection.close()
            return None
        return otherwise() if answer.body is None else answer.body

    def send(self, answer: Answer, body: str | None) -> None:
        """Send an answer with the body that `prepare` returned."""
        if body is None:
            return
        payload = body.encode()
        with suppress(ConnectionError):
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

    def handle_one_request(self) -> None:
        # The test has broken the connection.
        with suppress(ValueError, ConnectionError):
            super().handle_one_request()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serve_protocol(handler: type[ProtocolHandler]) -> Iterator[str]:
    """Serve on a free port until the block ends; yield the URL for clients."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
