"""Call one model at a server of OpenAI's protocol, with retries and a circuit breaker."""

import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import urlsplit

from heimdex.errors import InputBreaksServer, ModelAway, ModelInputError, ModelUnavailable
from heimdex.openai.responses import Endpoint, TransientError, is_server_failure, translate_error
from heimdex.openai.retry import CircuitBreaker, RetryPolicy

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
_CHECK_TIMEOUT_S = 10.0
T = TypeVar("T")
# Gets the official client and a timeout in seconds.
Send: TypeAlias = Callable[["OpenAI", float], T]


class ModelClient:
    """Call one model; threads share the client. After `breaker_after` failed calls in a row it sends nothing for a while."""

    def __init__(self, model: str, *, base_url: str, api_key: str, inputs: str, expected: str, breaker_after: int) -> None:
        self.endpoint = Endpoint(base_url or OPENAI_URL, model, inputs, expected)
        self._base_url = base_url
        self._api_key = api_key
        self._breaker = CircuitBreaker(breaker_after)
        self._first_use = threading.Lock()
        self._openai: OpenAI | None = None
        self._has_answered = False

    def check(self) -> list[str]:
        """Return the problems that keep the model from working. Request the server's list of models, which costs nothing."""
        problems = self._find_configuration_problems()
        if problems:
            return problems
        import openai

        try:
            self._connect().with_options(timeout=_CHECK_TIMEOUT_S).models.list()
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.APIConnectionError, openai.InternalServerError) as error:
            return [str(translate_error(error, self.endpoint, _CHECK_TIMEOUT_S))]
        except openai.APIError:
            # The protocol does not require the list: a server that answers anything else works.
            return []
        return []

    def call(self, send: Send[T], policy: RetryPolicy, *, on_retry: Callable[[], None] = lambda: None) -> T:
        """Return the result of `send`.

        `send` raises ValueError when it cannot read the answer. Retry transient errors (429, 5xx, no answer or an unreadable one), and
        call `on_retry` before each further attempt. Raise ModelAway when they persist, ModelUnavailable for errors that no retry changes,
        and ModelInputError when the server rejects the inputs.
        """
        started, failed = monotonic(), 0
        client = self._connect()
        self._breaker.wait(0)
        while True:
            try:
                answer = self._attempt(send, client, policy.timeout_s)
            except TransientError as error:
                failed += 1
                if not error.rate_limited:
                    self._breaker.record_failure(str(error))
                elif error.retry_after_s is not None:
                    self._breaker.pause_callers(min(error.retry_after_s, policy.total_s))
                wait_s = policy.wait_s(failed, error.retry_after_s, monotonic() - started)
                if wait_s is None:
                    raise ModelAway(str(error)) from error
                self._breaker.wait(wait_s)
                on_retry()
            else:
                self._breaker.record_success()
                return answer

    def call_for_input(self, send: Send[T], send_harmless: Send[object], policy: RetryPolicy) -> T:
        """Return the result of `send`, as `call` does, but raise InputBreaksServer when its input is to blame for a failure.

        It is when the server has answered for another input since the start, fails for this one in two calls, and answers `send_harmless`
        right after each. An outage of a moment may end before that answer, which is why there is a second call.
        """
        for is_last in (False, True):
            try:
                answer = self.call(send, policy)
            except ModelAway as error:
                if not (self._has_answered and is_server_failure(error) and self._answers(send_harmless, policy)):
                    raise
                if is_last:
                    # Without the cause, which would make it an outage.
                    raise InputBreaksServer(str(error)) from None
            else:
                break
        self._has_answered = True
        return answer

    def _answers(self, send: Send[object], policy: RetryPolicy) -> bool:
        try:
            self.call(send, replace(policy, attempts=1))
        except (ModelUnavailable, ModelInputError):
            return False
        return True

    def _attempt(self, send: Send[T], client: "OpenAI", timeout_s: float) -> T:
        import openai

        try:
            return send(client, timeout_s)
        except (openai.APIError, ValueError, TypeError, AttributeError) as error:
            raise translate_error(error, self.endpoint, timeout_s) from error

    def _find_configuration_problems(self) -> list[str]:
        if self._base_url and urlsplit(self._base_url).scheme not in {"http", "https"}:
            return [f"HEIMDEX_OPENAI_BASE_URL is {self._base_url!r}, which is not a URL: write it as http://host:port/v1."]
        if not self._base_url and not self._api_key:
            return [
                f"The model {self.endpoint.model} needs a key: set HEIMDEX_OPENAI_API_KEY, or HEIMDEX_OPENAI_BASE_URL to a server "
                "that needs none."
            ]
        return []

    def _connect(self) -> "OpenAI":
        problems = self._find_configuration_problems()
        if problems:
            raise ModelUnavailable(problems[0])
        with self._first_use:
            if self._openai is None:
                from openai import OpenAI

                # The client's own retries cannot pause all threads together, and have no limit on the total time.
                self._openai = OpenAI(api_key=self._api_key or "none", base_url=self.endpoint.url, max_retries=0)
            return self._openai
