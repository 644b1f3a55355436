"""A small server of OpenAI's embeddings protocol. Tests can prepare its answers."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.openai_protocol import NO_MODELS, Answer, ProtocolHandler, serve_protocol


@dataclass
class EmbeddingServer:
    """The requests that the server received, and its next answers; without prepared answers it returns vectors."""

    dimensions: int = 1536
    prepared: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""
    latency_s: float = 0.0
    # Texts that contain this are rejected with status 400.
    refused: str | None = None
    # Texts that contain this break the server: it answers with status 500.
    breaking: str | None = None
    busiest: int = 0
    _concurrent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def count_concurrent(self) -> Iterator[None]:
        """Record how many requests are answered at the same time."""
        with self._lock:
            self._concurrent += 1
            self.busiest = max(self.busiest, self._concurrent)
        try:
            yield
        finally:
            with self._lock:
                self._concurrent -= 1

    def take_answer(self, request: dict[str, Any] | None) -> Answer:
        """Return the next prepared answer, or the default answer to the request."""
        with self._lock:
            if self.prepared:
                return self.prepared.pop(0)
        if request and self.refused and any(self.refused in text for text in request["input"]):
            return Answer(400)
        if request and self.breaking and any(self.breaking in text for text in request["input"]):
            return Answer(500)
        return Answer(body=None, after_s=self.latency_s)

    def make_vector(self, text: str) -> np.ndarray:
        """Return a vector with a direction of its own and a length other than 1."""
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        return 3 * np.random.default_rng(seed).normal(size=self.dimensions).astype(np.float32)

    def build_body(self, request: dict[str, Any]) -> str:
        vectors = [self.make_vector(text) for text in request["input"]]
        if request.get("encoding_format") == "base64":
            rows: list[Any] = [base64.b64encode(vector.tobytes()).decode() for vector in vectors]
        else:
            rows = [vector.tolist() for vector in vectors]
        data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
        # The protocol's index, not its order, identifies the input of a vector.
        return json.dumps(
            {
                "object": "list",
                "model": request["model"],
                "data": data[::-1],
                "usage": {"prompt_tokens": len(vectors), "total_tokens": 7 * len(vectors)},
            }
        )


@contextmanager
def serve_embeddings(state: EmbeddingServer | None = None) -> Iterator[EmbeddingServer]:
    """Serve on a free port until the block ends."""
    state = state or EmbeddingServer()

    class Handler(ProtocolHandler):
        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            request = json.loads(self.read_content())
            state.requests.append(request)
            self.answer(request)

        def answer(self, request: dict[str, Any] | None) -> None:
            state.keys.append(self.headers["Authorization"])
            with state.count_concurrent():
                answer = state.take_answer(request)
                body = self.prepare(answer, lambda: state.build_body(request) if request else NO_MODELS)
            self.send(answer, body)

    with serve_protocol(Handler) as state.url:
        yield state
