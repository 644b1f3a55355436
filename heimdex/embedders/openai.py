"""Embed texts with any server that speaks OpenAI's embeddings protocol."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import EmbedderIdentity, TextEmbedder
from heimdex.embedders.batching import estimate_tokens, pack_batches, split_by_bytes
from heimdex.errors import ModelInputError
from heimdex.openai.client import ModelClient
from heimdex.openai.responses import Endpoint, TransientError
from heimdex.openai.retry import CircuitBreaker, RetryPolicy

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import CreateEmbeddingResponse

# A user waits for a query. A run can wait until the server is back.
QUERY_RETRIES = RetryPolicy(attempts=3, total_s=5.0, timeout_s=10.0)
DOCUMENT_RETRIES = RetryPolicy(attempts=8, total_s=180.0, timeout_s=60.0)
# The protocol allows 8,191 tokens per input. Not every server's tokenizer is available, but a token has at least one byte.
WINDOW_BYTES = 8191


class OpenAIEmbedder(TextEmbedder):
    """Embed through the official client: `concurrency` parallel calls of at most `batch_size` texts and `call_tokens` tokens.

    Only models of the text-embedding-3 family get `dimensions` in the request; the answers of others are checked against it. A text of
    more than WINDOW_BYTES bytes becomes the mean of its parts. The two input types go to servers that distinguish queries from documents
    by a field `input_type`. After `breaker_after` failed calls in a row nothing is sent for a while, and ModelUnavailable states the
    reason. Tokens are counted from the `usage` of the answers.
    """

    # The floor is not measured, because that needs a key. Unrelated English texts stay below it, and fusion drops the others.
    # OpenAI accepts 2,048 texts and 300,000 tokens per call; half the tokens by our estimate leave room where a token has two bytes.
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
        self._client = ModelClient(
            model, base_url=base_url, api_key=api_key, inputs="these texts", expected="list of embeddings", breaker_after=breaker_after
        )
        self._rejections = CircuitBreaker(breaker_after)

    @property
    def identity(self) -> EmbedderIdentity:
        """Identify the model. The server's URL is not part of the identity, so that a server can move."""
        revision = f"documents as input type {self._document_input_type!r}" if self._document_input_type else ""
        return EmbedderIdentity("openai", self._model, revision, self._dimensions, self.code_version)

    @property
    def preferred_batch_size(self) -> int:
        return self.batch_size * self._concurrency

    def check(self) -> list[str]:
        """Return the problems that keep the model from working. Request the server's list of models, which costs nothing."""
        return self._client.check()

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return self._encode(texts, self._query_input_type, QUERY_RETRIES)

    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        return self._encode(texts, self._document_input_type, DOCUMENT_RETRIES)

    def _split(self, inputs: Sequence[Any], order: Sequence[int]) -> list[Sequence[int]]:
        return pack_batches([estimate_tokens(text) for text in inputs], order, self.batch_size, self._call_tokens)

    def _run_batches(self, embed_batch: Callable[[Sequence[int]], None], batches: Iterable[Sequence[int]]) -> None:
        pending = list(batches)
        if len(pending) < 2:
            return super()._run_batches(embed_batch, pending)
        with ThreadPoolExecutor(min(self._concurrency, len(pending)), thread_name_prefix="embeddings") as pool:
            calls = [pool.submit(embed_batch, batch) for batch in pending]
            try:
                for call in calls:
                    call.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _encode(self, texts: list[str], input_type: str, policy: RetryPolicy) -> NDArray[np.floating]:
        self._rejections.check()
        try:
            vectors = self._client.call(
                lambda client, timeout_s: self._send(client, texts, input_type, timeout_s), policy, on_retry=self._count_call
            )
        except ModelInputError as rejection:
            # The rejection of a batch says little: the caller sends its texts again in halves.
            if len(texts) == 1:
                self._rejections.record_failure(str(rejection))
            raise
        self._rejections.record_success()
        return vectors

    def _send(self, client: "OpenAI", texts: list[str], input_type: str, timeout_s: float) -> NDArray[np.float32]:
        import openai

        answer = client.embeddings.create(
            model=self._model,
            # The protocol rejects an empty input.
            input=[text or " " for text in texts],
            dimensions=self._dimensions if "text-embedding-3" in self._model else openai.omit,
            extra_body={"input_type": input_type} if input_type else None,
            timeout=timeout_s,
        )
        usage = getattr(answer, "usage", None)
        self._count_tokens(getattr(usage, "total_tokens", 0) or 0)
        return read_vectors(answer, len(texts), self._client.endpoint)

    def _split_windows(self, text: str) -> list[str]:
        return split_by_bytes(text, WINDOW_BYTES)


def read_vectors(answer: "CreateEmbeddingResponse", count: int, endpoint: Endpoint) -> NDArray[np.float32]:
    """Return the vectors in the order of the inputs, shape (count, d). Raise TransientError when the answer violates the protocol."""
    try:
        rows = {item.index: item.embedding for item in answer.data}
        if sorted(rows) != list(range(count)) or len(answer.data) != count:
            raise TransientError(f"{endpoint.url} answered {count} inputs with {len(answer.data)} vectors.")
        return np.asarray([rows[index] for index in range(count)], dtype=np.float32)
    except (ValueError, TypeError, AttributeError) as error:
        raise TransientError(endpoint.wrong_answer) from error
