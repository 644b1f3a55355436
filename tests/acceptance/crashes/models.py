"""Models that cost nothing to load: a server embeds texts, counts the calls, and can hold back its answers."""

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from heimdex.embedders.base import EmbedderIdentity, ImageEmbedder
from heimdex.profiles import OPENAI, ModelBackends
from tests.heimdex.embedders.openai_server import EmbeddingServer
from tests.openai_protocol import Answer

DIMENSIONS = 8
# One call of two texts is one batch.
BATCH = 2


class MeanColor(ImageEmbedder):
    """Embeds an image as its mean color, and a query as an arbitrary color."""

    def __init__(self) -> None:
        super().__init__(similarity_floor=-1.0)

    @property
    def identity(self) -> EmbedderIdentity:
        """Identify the formula."""
        return EmbedderIdentity("tests", "mean color", "", 3)

    @property
    def input_side(self) -> int:
        return 16

    def check(self) -> list[str]:
        return []

    def _preprocess(self, image: Image) -> NDArray[np.float32]:
        return np.asarray(image.convert("RGB"), dtype=np.float32).mean(axis=(0, 1))

    def _encode_prepared(self, prepared: list[Any]) -> NDArray[np.floating]:
        return np.stack(prepared)

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return np.stack([np.frombuffer(hashlib.sha256(text.encode()).digest()[:3], np.uint8).astype(np.float32) + 1 for text in texts])


def build_backends(server: EmbeddingServer, model: str, faces: str = "") -> ModelBackends:
    """Return MODEL_BACKENDS for the tests: a text model of this name on the server, mean colors for images, and `faces` if given."""
    text = {
        "model": model,
        "dimensions": DIMENSIONS,
        "base_url": server.url,
        "api_key": "",
        "similarity_floor": -1.0,
        "batch_size": BATCH,
        "concurrency": 1,
        "query_input_type": "query",
        "document_input_type": "document",
    }
    backends: ModelBackends = {
        "text": {"BACKEND": OPENAI, "OPTIONS": text},
        "image": {"BACKEND": f"{__name__}.{MeanColor.__name__}", "OPTIONS": {}},
    }
    if faces:
        backends["faces"] = {"BACKEND": "tests.acceptance.crashes.faces.CountedFaces", "OPTIONS": {"url": server.url, "model": faces}}
    return backends


@dataclass
class CountingServer(EmbeddingServer):
    """Gives every model its own vectors. It can hold back the answers about texts that contain a word, after the first calls."""

    dimensions: int = DIMENSIONS
    # Every request is answered with 503, and not counted.
    is_away: bool = False
    held: threading.Event = field(default_factory=threading.Event)
    _word: str = ""
    _passing: int = 0
    _released: threading.Event = field(default_factory=threading.Event)

    def hold(self, word: str, *, passing: int = 1) -> None:
        """Answer the first `passing` calls about texts that contain the word, and hold the next; `held` is set when it arrives."""
        self.held.clear()
        self._released.clear()
        self._passing = passing
        self._word = word

    def release(self) -> None:
        """Answer the held calls, and hold no others."""
        self._word = ""
        self._released.set()

    def count_documents(self, model: str, word: str) -> Counter[str]:
        """Count how often each text that contains a word was sent to a model as a document."""
        requests_of_model = [request for request in self.requests if request["model"] == model and request.get("input_type") == "document"]
        return Counter(text for request in requests_of_model for text in request["input"] if word in text)

    def take_answer(self, request: dict[str, Any] | None) -> Answer:
        if request and self._word and any(self._word in text for text in request["input"]):
            self._passing -= 1
            if self._passing < 0:
                self.held.set()
                self._released.wait()
        if self.is_away:
            if request:
                self.requests.remove(request)
            return Answer(503)
        return super().take_answer(request)

    def build_body(self, request: dict[str, Any]) -> str:
        return super().build_body({**request, "input": [f"{request['model']}: {text}" for text in request["input"]]})
