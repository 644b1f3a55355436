"""One model on a server of OpenAI's protocol: its client, its faults, and the patience with them."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.embedders.openai_answers import PassingTrouble, Server, meaning
from heimdex.embedders.patience import Breaker, Patience

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
_CHECK_S = 10.0
T = TypeVar("T")


class OpenAIServer:
    """Calls to one model, which threads share. After `breaker_after` failed calls in a row nothing more is sent for a while."""

    def __init__(self, model: str, *, base_url: str, api_key: str, inputs: str, wanted: str, breaker_after: int) -> None:
        self.named = Server(base_url or OPENAI_URL, model, inputs, wanted)
        self._base_url = base_url
        self._api_key = api_key
        self._troubles = Breaker(breaker_after)
        self._first_use = threading.Lock()
        self._connected: OpenAI | None = None

    def check(self) -> list[str]:
        """Return what keeps the model from working; asks the server for its list of models, which costs nothing."""
        problems = self._configuration_problems()
        if problems:
            return problems
        import openai

        try:
            self._client().with_options(timeout=_CHECK_S).models.list()
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.APIConnectionError) as error:
            return [str(meaning(error, self.named, _CHECK_S))]
        except openai.APIError:
            # The list is optional in the protocol: whoever answers anything else is there.
            return []
        return []

    def call(self, send: Callable[["OpenAI", float], T], patience: Patience, *, on_retry: Callable[[], None] = lambda: None) -> T:
        """Return what `send` does, which gets the client and the seconds to wait; a ValueError of it means that the answer is broken.

        Passing troubles (429, 5xx, no or a broken answer) are borne with, and `on_retry` is called before each further try.
        EmbedderUnavailable when they last, EmbedderError for inputs that the server refuses.
        """
        began, failed = monotonic(), 0
        client = self._client()
        self._troubles.rest(0)
        while True:
            try:
                answer = self._sent(send, client, patience.timeout_s)
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
                on_retry()
            else:
                self._troubles.succeeded()
                return answer

    def _sent(self, send: Callable[["OpenAI", float], T], client: "OpenAI", timeout_s: float) -> T:
        import openai

        try:
            return send(client, timeout_s)
        except (openai.APIError, ValueError, TypeError, AttributeError) as error:
            raise meaning(error, self.named, timeout_s) from error

    def _configuration_problems(self) -> list[str]:
        if self._base_url and urlsplit(self._base_url).scheme not in {"http", "https"}:
            return [f"HEIMDEX_OPENAI_BASE_URL is {self._base_url!r}, which is no address: write it as http://host:port/v1."]
        if not self._base_url and not self._api_key:
            return [
                f"The model {self.named.model} needs a key: set HEIMDEX_OPENAI_API_KEY, or HEIMDEX_OPENAI_BASE_URL to a server "
                "that needs none."
            ]
        return []

    def _client(self) -> "OpenAI":
        problems = self._configuration_problems()
        if problems:
            raise EmbedderUnavailable(problems[0])
        with self._first_use:
            if self._connected is None:
                from openai import OpenAI

                # It tries again by itself, but without a common pause for all threads and without an end that we set.
                self._connected = OpenAI(api_key=self._api_key or "none", base_url=self.named.address, max_retries=0)
            return self._connected
