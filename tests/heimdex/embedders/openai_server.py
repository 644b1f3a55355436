"""A small server that speaks OpenAI's embeddings protocol, with answers that a test can prepare."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Answer:
    """One prepared answer, given instead of vectors."""

    status: int
    body: str = '{"error": {"message": "prepared by the test", "type": "test", "code": null, "param": null}}'


@dataclass
class EmbeddingServer:
    """What the server was asked, and what it is to answer next; without prepared answers it gives vectors."""

    dimensions: int = 1536
    prepared: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""

    def vector(self, text: str) -> np.ndarray:
        """Give each text a direction of its own, of a length other than 1."""
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        return 3 * np.random.default_rng(seed).normal(size=self.dimensions).astype(np.float32)

    def body(self, request: dict[str, Any]) -> str:
        vectors = [self.vector(text) for text in request["input"]]
        if request.get("encoding_format") == "base64":
            rows: list[Any] = [base64.b64encode(vector.tobytes()).decode() for vector in vectors]
        else:
            rows = [vector.tolist() for vector in vectors]
        data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
        # The protocol's index, not its order, says which input a vector belongs to.
        return json.dumps(
            {"object": "list", "model": request["model"], "data": data[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        )


@contextmanager
def running() -> Iterator[EmbeddingServer]:
    """Serve on a free port until the block ends."""
    state = EmbeddingServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(lambda: '{"object": "list", "data": []}')

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append(request)
            self.answer(lambda: state.body(request))

        def answer(self, body: Any) -> None:
            state.keys.append(self.headers["Authorization"])
            prepared = state.prepared.pop(0) if state.prepared else Answer(200, body())
            payload = prepared.body.encode()
            self.send_response(prepared.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.send_header("Retry-After-Ms", "1")
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/v1"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield state
        server.shutdown()
