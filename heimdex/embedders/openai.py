"""Texts through any server that speaks OpenAI's embeddings protocol."""

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import BATCH_SIZE, EmbedderIdentity, TextEmbedder
from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable

if TYPE_CHECKING:
    from openai import APIError, OpenAI

OPENAI_URL = "https://api.openai.com/v1"
TIMEOUT_S = 60.0
# The protocol allows 8,191 tokens an input. No tokenizer is at hand for every server, but a token is never less than a byte.
WINDOW_BYTES = 8191


class OpenAIEmbedder(TextEmbedder):
    """Embed through the official client, which tries again by itself after 429 and 5xx.

    Only the models of the text-embedding-3 family are asked for `dimensions`; what others answer is checked against it. A text of
    more than WINDOW_BYTES bytes becomes the mean of its parts.
    """

    # The floor is not measured here, for want of a key: unrelated English texts stay below it, and fusion drops the rest.
    def __init__(
        self,
        model: str,
        dimensions: int,
        base_url: str = "",
        api_key: str = "",
        similarity_floor: float = 0.2,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        super().__init__(similarity_floor=similarity_floor, batch_size=batch_size)
        self._model = model
        self._dimensions = dimensions
        self._base_url = base_url
        self._api_key = api_key
        self._first_use = threading.Lock()
        self._connected: OpenAI | None = None

    @property
    def identity(self) -> EmbedderIdentity:
        """Name the model; the server's address is no part of it, so that a server can move."""
        return EmbedderIdentity("openai", self._model, "", self._dimensions)

    def check(self) -> list[str]:
        """Return what keeps the model from working; asks the server for its list of models, which costs nothing."""
        problems = self._configuration_problems()
        if problems:
            return problems
        import openai

        try:
            self._client().with_options(max_retries=0, timeout=10.0).models.list()
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.APIConnectionError) as error:
            return [self._sentence(error)]
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
        return self._encode(texts)

    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        return self._encode(texts)

    def _encode(self, texts: list[str]) -> NDArray[np.floating]:
        import openai

        client = self._client()
        # The protocol refuses an empty input.
        inputs = [text or " " for text in texts]
        try:
            answer = client.embeddings.create(
                model=self._model, input=inputs, dimensions=self._dimensions if "text-embedding-3" in self._model else openai.omit
            )
            rows = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
            return np.asarray(rows, dtype=np.float32)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise EmbedderError(f"{self._server} refuses these texts for {self._model}: {error.message}.") from error
        except openai.APIError as error:
            raise EmbedderUnavailable(self._sentence(error)) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise EmbedderUnavailable(
                f"{self._server} answered with something that is no list of embeddings: check that HEIMDEX_OPENAI_BASE_URL leads to "
                "an OpenAI-compatible server and usually ends in /v1."
            ) from error

    def _windows(self, text: str) -> list[str]:
        return byte_windows(text, WINDOW_BYTES)

    @property
    def _server(self) -> str:
        return self._base_url or OPENAI_URL

    def _client(self) -> "OpenAI":
        problems = self._configuration_problems()
        if problems:
            raise EmbedderUnavailable(problems[0])
        with self._first_use:
            if self._connected is None:
                from openai import OpenAI

                self._connected = OpenAI(api_key=self._api_key or "none", base_url=self._server, timeout=TIMEOUT_S)
            return self._connected

    def _sentence(self, error: "APIError") -> str:
        import openai

        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return f"{self._server} refuses the key: correct HEIMDEX_OPENAI_API_KEY."
            case openai.NotFoundError():
                return f'{self._server} knows no model {self._model}: correct "model" in HEIMDEX_MODELS or HEIMDEX_OPENAI_BASE_URL.'
            case openai.RateLimitError():
                return f"{self._server} still says 429 after several tries ({error.message}): wait, or raise the account's limit or credit."
            case openai.APIConnectionError():
                return f"{self._server} cannot be reached: start it, or correct HEIMDEX_OPENAI_BASE_URL."
            case openai.APIStatusError():
                return f"{self._server} still answers with status {error.status_code} after several tries: look at its log, or try later."
            case _:
                return f"{self._server} answered with something that is no list of embeddings: correct HEIMDEX_OPENAI_BASE_URL."


def byte_windows(text: str, limit: int) -> list[str]:
    """Halve a text until every part has at most `limit` bytes of UTF-8; cuts between words where there are any nearby."""
    size = len(text.encode())
    if size <= limit:
        return [text]
    middle = len(text) // 2
    space = text.rfind(" ", middle // 2, middle)
    cut = space + 1 if space > 0 else middle
    return byte_windows(text[:cut], limit) + byte_windows(text[cut:], limit)
