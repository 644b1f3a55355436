"""Response handling: translate errors of the official client into rejected inputs, transient errors and unavailable models."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from heimdex.errors import ModelAway, ModelInputError, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import APIStatusError

# Statuses with which a server rejects the inputs and not the call.
REJECTIONS = (400, 413, 422)
# Statuses that no retry changes.
PERMANENT = (401, 403, 404, 405)


@dataclass(frozen=True)
class Endpoint:
    """A model at a server. `inputs` and `expected` name in error messages what is sent and what the server should answer."""

    url: str
    model: str
    inputs: str
    expected: str

    @property
    def wrong_answer(self) -> str:
        """The message for an answer that does not follow the protocol."""
        return (
            f"{self.url} did not answer with a {self.expected}: check that HEIMDEX_OPENAI_BASE_URL is the URL of "
            "an OpenAI-compatible server, which usually ends in /v1."
        )


class TransientError(Exception):
    """A retry may help. `retry_after_s` is the wait that the server asks for; `rate_limited` means that the server works but is busy."""

    def __init__(self, reason: str, retry_after_s: float | None = None, *, rate_limited: bool = False) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.rate_limited = rate_limited


def is_server_failure(error: Exception) -> bool:
    """Return whether a server has failed on a call on every attempt: it may be away, or the input of the call breaks it. Pure.

    A limit of the rate is nobody's fault, and an open circuit breaker says nothing about this call.
    """
    cause = error.__cause__
    return isinstance(error, ModelAway) and isinstance(cause, TransientError) and not cause.rate_limited


def translate_error(error: Exception, endpoint: Endpoint, timeout_s: float) -> Exception:
    """Return our exception for an error of the official client, or for an answer that could not be read."""
    import openai

    match error:
        case openai.APITimeoutError():
            return TransientError(f"{endpoint.url} did not answer within {timeout_s:g} s: it may be overloaded, look at its log.")
        case openai.APIConnectionError():
            return TransientError(f"{endpoint.url} cannot be reached: start it, or correct HEIMDEX_OPENAI_BASE_URL.")
        case openai.APIStatusError():
            return _translate_status(error, endpoint)
        case _:
            return TransientError(endpoint.wrong_answer)


def _translate_status(error: "APIStatusError", endpoint: Endpoint) -> Exception:
    status: int = error.status_code
    if status in REJECTIONS:
        return ModelInputError(f"{endpoint.url} rejects {endpoint.inputs} for {endpoint.model}: {error.message}.")
    if status in (401, 403):
        return ModelUnavailable(f"{endpoint.url} rejects the key: correct HEIMDEX_OPENAI_API_KEY.")
    if status in PERMANENT:
        return ModelUnavailable(
            f'{endpoint.url} has no model {endpoint.model}: correct "model" in HEIMDEX_MODELS or HEIMDEX_OPENAI_BASE_URL.'
        )
    retry_after_s = parse_retry_after(error.response.headers)
    if status == 429:
        message = (
            f"{endpoint.url} still answers with status 429 after several attempts ({error.message}): wait, or raise the account's "
            "limit or credit."
        )
        # No wait restores credit.
        return (
            ModelUnavailable(message) if error.code == "insufficient_quota" else TransientError(message, retry_after_s, rate_limited=True)
        )
    return TransientError(
        f"{endpoint.url} still answers with status {status} after several attempts: look at its log, or try later.", retry_after_s
    )


def parse_retry_after(headers: "Mapping[str, str]") -> float | None:
    """Return the seconds of `Retry-After-Ms`, or of `Retry-After` in seconds or as a date; None when both are missing or invalid."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "")
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None
