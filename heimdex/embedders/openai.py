"""Texts through any server that speaks OpenAI's embeddings protocol."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import EmbedderIdentity, TextEmbedder
from heimdex.embedders.errors import EmbedderError
from heimdex.embedders.openai_answers import vectors_in
from heimdex.embedders.packing import estimated_tokens, packed
from heimdex.embedders.patience import Breaker, Patience
from heimdex.openai_server import OpenAIServer

if TYPE_CHECKING:
    from openai import OpenAI

# A person waits for a query; a run can wait for a server to come back.
FOR_QUERIES = Patience(tries=3, total_s=5.0, timeout_s=10.0)
FOR_DOCUMENTS = Patience(tries=8, total_s=180.0, timeout_s=60.0)
# The protocol allows 8,191 tokens an input. No tokenizer is at hand for every server, but a token is never less than a byte.
WINDOW_BYTES = 8191


class OpenAIEmbedder(TextEmbedder):
    """Embed through the official client: `concurrency` calls at once, each of at most `batch_size` texts and `call_tokens` tokens.

    Only the models of the text-embedding-3 family are asked for `dimensions`; what others answer is checked against it. A text of
    more than WINDOW_BYTES bytes becomes the mean of its parts. Servers that tell queries and documents apart by a field `input_type`
    get it from the two options. After `breaker_after` failed calls in a row nothing more is sent for a while, and EmbedderUnavailable
    says why. Tokens are counted from the answers' `usage`.
    """

    # The floor is not measured here, for want of a key: unrelated English texts stay below it, and fusion drops the rest.
    # OpenAI takes 2,048 texts and 300,000 tokens a call; half as many by our estimate leave room where a token has two bytes.
    def __init__(
        self,
        model: str,
        dimensions: int,
        base_url: str = "",
        api_key: str = "",
        query_input_type: str = "",
        document_input_type: str = "",
        similarity_floor: float = 0.2,
        batch_size: int = 128,
        call_tokens: int = 150_000,
        concurrency: int = 8,
        breaker_after: int = 20,
    ) -> None:
        super().__init__(similarity_floor=similarity_floor, batch_size=batch_size)
        self._model = model
        self._dimensions = dimensions
        self._query_input_type = query_input_type
        self._document_input_type = document_input_type
        self._call_tokens = call_tokens
        self._concurrency = concurrency
        self._server = OpenAIServer(
            model, base_url=base_url, api_key=api_key, inputs="these texts", wanted="list of embeddings", breaker_after=breaker_after
        )
        self._refusals = Breaker(breaker_after)

    @property
    def identity(self) -> EmbedderIdentity:
        """Name the model; the server's address is no part of it, so that a server can move."""
        revision = f"documents as input type {self._document_input_type!r}" if self._document_input_type else ""
        return EmbedderIdentity("openai", self._model, revision, self._dimensions)

    @property
    def inputs_at_once(self) -> int:
        return self.batch_size * self._concurrency

    def check(self) -> list[str]:
        """Return what keeps the model from working; asks the server for its list of models, which costs nothing."""
        return self._server.check()

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return self._encode(texts, self._query_input_type, FOR_QUERIES)

    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        return self._encode(texts, self._document_input_type, FOR_DOCUMENTS)

    def _split(self, inputs: Sequence[Any], order: Sequence[int]) -> list[Sequence[int]]:
        return packed([estimated_tokens(text) for text in inputs], order, self.batch_size, self._call_tokens)

    def _fill_all(self, fill: Callable[[Sequence[int]], None], batches: Iterable[Sequence[int]]) -> None:
        waiting = list(batches)
        if len(waiting) < 2:
            return super()._fill_all(fill, waiting)
        with ThreadPoolExecutor(min(self._concurrency, len(waiting)), thread_name_prefix="embeddings") as pool:
            calls = [pool.submit(fill, batch) for batch in waiting]
            try:
                for call in calls:
                    call.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _encode(self, texts: list[str], input_type: str, patience: Patience) -> NDArray[np.floating]:
        self._refusals.check()
        try:
            vectors = self._server.call(
                lambda client, timeout_s: self._send(client, texts, input_type, timeout_s), patience, on_retry=self._count_call
            )
        except EmbedderError as refusal:
            # A refusal of many says little: the caller sends them again in halves.
            if len(texts) == 1:
                self._refusals.failed(str(refusal))
            raise
        self._refusals.succeeded()
        return vectors

    def _send(self, client: "OpenAI", texts: list[str], input_type: str, timeout_s: float) -> NDArray[np.float32]:
        import openai

        answer = client.embeddings.create(
            model=self._model,
            # The protocol refuses an empty input.
            input=[text or " " for text in texts],
            dimensions=self._dimensions if "text-embedding-3" in self._model else openai.omit,
            extra_body={"input_type": input_type} if input_type else None,
            timeout=timeout_s,
        )
        usage = getattr(answer, "usage", None)
        self._count_tokens(getattr(usage, "total_tokens", 0) or 0)
        return vectors_in(answer, len(texts), self._server.named)

    def _windows(self, text: str) -> list[str]:
        return byte_windows(text, WINDOW_BYTES)


def byte_windows(text: str, limit: int) -> list[str]:
    """Halve a text until every part has at most `limit` bytes of UTF-8; cuts between words where there are any nearby."""
    size = len(text.encode())
    if size <= limit:
        return [text]
    middle = len(text) // 2
    space = text.rfind(" ", middle // 2, middle)
    cut = space + 1 if space > 0 else middle
    return byte_windows(text[:cut], limit) + byte_windows(text[cut:], limit)
