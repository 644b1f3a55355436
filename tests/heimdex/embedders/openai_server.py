"""A small server that speaks OpenAI's embeddings protocol, with answers that a test can prepare."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.openai_protocol import NO_MODELS, Answer, ProtocolHandler, serving


@dataclass
class EmbeddingServer:
    """What the server was asked, and what it is to answer next; without prepared answers it gives vectors."""

    dimensions: int = 1536
    prepared: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""
    latency_s: float = 0.0
    # Texts that hold this are refused with status 400.
    refused: str | None = None
    busiest: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Note how many requests are answered at once."""
        with self._lock:
            self._at_once += 1
            self.busiest = max(self.busiest, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def next_answer(self, request: dict[str, Any] | None) -> Answer:
        """Take the next prepared answer, or one that the request deserves."""
        with self._lock:
            if self.prepared:
                return self.prepared.pop(0)
        if request and self.refused and any(self.refused in text for text in request["input"]):
            return Answer(400)
        return Answer(body=None, after_s=self.latency_s)

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
            {
                "object": "list",
                "model": request["model"],
                "data": data[::-1],
                "usage": {"prompt_tokens": len(vectors), "total_tokens": 7 * len(vectors)},
            }
        )


@contextmanager
def running(state: EmbeddingServer | None = None) -> Iterator[EmbeddingServer]:
    """Serve on a free port until the block ends."""
    state = state or EmbeddingServer()

    class Handler(ProtocolHandler):
        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            request = json.loads(self.content())
            state.requests.append(request)
            self.answer(request)

        def answer(self, request: dict[str, Any] | None) -> None:
            state.keys.append(self.headers["Authorization"])
            with state.counted():
                answer = state.next_answer(request)
                body = self.prepare(answer, lambda: state.body(request) if request else NO_MODELS)
            self.send(answer, body)

    with serving(Handler) as state.url:
        yield state
