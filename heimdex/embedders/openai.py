"""Texts through any server that speaks OpenAI's embeddings protocol."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import EmbedderIdentity, TextEmbedder
from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable
from heimdex.embedders.openai_answers import PassingTrouble, Server, meaning, vectors_in
from heimdex.embedders.packing import estimated_tokens, packed
from heimdex.embedders.patience import Breaker, Patience

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
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
        self._base_url = base_url
        self._api_key = api_key
        self._query_input_type = query_input_type
        self._document_input_type = document_input_type
        self._call_tokens = call_tokens
        self._concurrency = concurrency
        self._troubles = Breaker(breaker_after)
        self._refusals = Breaker(breaker_after)
        self._first_use = threading.Lock()
        self._connected: OpenAI | None = None

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
        problems = self._configuration_problems()
        if problems:
            return problems
        import openai

        try:
            self._client().with_options(timeout=10.0).models.list()
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.APIConnectionError) as error:
            return [str(meaning(error, self._server, 10.0))]
        except openai.APIError:
            # The list is optional in the protocol: whoever answers anything else is there.
            return []
        return []

    def _configuration_problems(self) -> list[str]:
        if self._base_url and urlsplit(self._base_url).scheme not in {"http", "https"}:
            return [f"HEIMDEX_OPENAI_BASE_URL is {self._base_url!r}, which is no address: write it as http://host:port/v1."]
        if not self._base_url and not self._api_key:
            return [
                f"The text model {self._model} needs a key: set HEIMDEX_OPENAI_API_KEY, or HEIMDEX_OPENAI_BASE_URL to a server "
                "that needs none."
            ]
        return []

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
        began = monotonic()
        failed = 0
        self._refusals.check()
        self._troubles.rest(0)
        while True:
            try:
                vectors = self._send(texts, input_type, patience.timeout_s)
            except PassingTrouble as trouble:
                failed += 1
                if not trouble.busy:
                    self._troubles.failed(str(trouble))
                elif trouble.wait_s is not None:
                    self._troubles.hold(min(trouble.wait_s, patience.total_s))
                wait_s = patience.wait_s(failed, trouble.wait_s, monotonic() - began)
                if wait_s is None:
                    raise EmbedderUnavailable(str(trouble)) from trouble
                self._troubles.rest(wait_s)
                self._count_call()
            except EmbedderError as refusal:
                # A refusal of many says little: the caller sends them again in halves.
                if len(texts) == 1:
                    self._refusals.failed(str(refusal))
                raise
            else:
                self._troubles.succeeded()
                self._refusals.succeeded()
                return vectors

    def _send(self, texts: list[str], input_type: str, timeout_s: float) -> NDArray[np.float32]:
        import openai

        client = self._client()
        try:
            answer = client.embeddings.create(
                model=self._model,
                # The protocol refuses an empty input.
                input=[text or " " for text in texts],
                dimensions=self._dimensions if "text-embedding-3" in self._model else openai.omit,
                extra_body={"input_type": input_type} if input_type else None,
                timeout=timeout_s,
            )
        except (openai.APIError, ValueError, TypeError, AttributeError) as error:
            raise meaning(error, self._server, timeout_s) from error
        usage = getattr(answer, "usage", None)
        self._count_tokens(getattr(usage, "total_tokens", 0) or 0)
        return vectors_in(answer, len(texts), self._server)

    def _windows(self, text: str) -> list[str]:
        return byte_windows(text, WINDOW_BYTES)

    @property
    def _server(self) -> Server:
        return Server(self._base_url or OPENAI_URL, self._model)

    def _client(self) -> "OpenAI":
        problems = self._configuration_problems()
        if problems:
            raise EmbedderUnavailable(problems[0])
        with self._first_use:
            if self._connected is None:
                from openai import OpenAI

                # It tries again by itself, but without a common pause for all threads and without an end that we set.
                self._connected = OpenAI(api_key=self._api_key or "none", base_url=self._server.address, max_retries=0)
            return self._connected


def byte_windows(text: str, limit: int) -> list[str]:
    """Halve a text until every part has at most `limit` bytes of UTF-8; cuts between words where there are any nearby."""
    size = len(text.encode())
    if size <= limit:
        return [text]
    middle = len(text) // 2
    space = text.rfind(" ", middle // 2, middle)
    cut = space + 1 if space > 0 else middle
    return byte_windows(text[:cut], limit) + byte_windows(text[cut:], limit)
