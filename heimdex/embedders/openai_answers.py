"""What a server's answer means: vectors, a refusal of the inputs, a passing trouble, or a fault that a person must mend."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import APIStatusError
    from openai.types import CreateEmbeddingResponse

# Statuses by which a server says that these inputs, and not the call, are wrong.
REFUSALS = (400, 413, 422)
# Statuses that another try cannot change.
LASTING = (401, 403, 404, 405)


@dataclass(frozen=True)
class Server:
    """The server and model that sentences name, with what it is sent and what it is to answer."""

    address: str
    model: str
    inputs: str
    wanted: str

    @property
    def not_wanted(self) -> str:
        """Say that something else answered."""
        return (
            f"{self.address} answered with something that is no {self.wanted}: check that HEIMDEX_OPENAI_BASE_URL leads to "
            "an OpenAI-compatible server and usually ends in /v1."
        )


class PassingTrouble(Exception):
    """Another try may help: the text is the reason, `wait_s` how long the server asks to wait, `busy` that it is only rate-limited."""

    def __init__(self, reason: str, wait_s: float | None = None, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.busy = busy


def vectors_in(answer: "CreateEmbeddingResponse", count: int, server: Server) -> NDArray[np.float32]:
    """Return the vectors in the order of the inputs, (count, d); PassingTrouble when the answer is not what the protocol says."""
    try:
        rows = {item.index: item.embedding for item in answer.data}
        if sorted(rows) != list(range(count)) or len(answer.data) != count:
            raise PassingTrouble(f"{server.address} answered {count} inputs with {len(answer.data)} vectors.")
        return np.asarray([rows[index] for index in range(count)], dtype=np.float32)
    except (ValueError, TypeError, AttributeError) as error:
        raise PassingTrouble(server.not_wanted) from error


def meaning(error: Exception, server: Server, timeout_s: float) -> Exception:
    """Return what to raise for an error of the official client."""
    import openai

    match error:
        case openai.APITimeoutError():
            return PassingTrouble(f"{server.address} did not answer within {timeout_s:g} s: it may be overloaded, look at its log.")
        case openai.APIConnectionError():
            return PassingTrouble(f"{server.address} cannot be reached: start it, or correct HEIMDEX_OPENAI_BASE_URL.")
        case openai.APIStatusError():
            return _of_status(error, server)
        case _:
            return PassingTrouble(server.not_wanted)


def _of_status(error: "APIStatusError", server: Server) -> Exception:
    status: int = error.status_code
    if status in REFUSALS:
        return EmbedderError(f"{server.address} refuses {server.inputs} for {server.model}: {error.message}.")
    if status in (401, 403):
        return EmbedderUnavailable(f"{server.address} refuses the key: correct HEIMDEX_OPENAI_API_KEY.")
    if status in LASTING:
        return EmbedderUnavailable(
            f'{server.address} knows no model {server.model}: correct "model" in HEIMDEX_MODELS or HEIMDEX_OPENAI_BASE_URL.'
        )
    wait_s = asked_wait_s(error.response.headers)
    if status == 429:
        sentence = f"{server.address} still says 429 after several tries ({error.message}): wait, or raise the account's limit or credit."
        # No wait brings credit.
        return EmbedderUnavailable(sentence) if error.code == "insufficient_quota" else PassingTrouble(sentence, wait_s, busy=True)
    return PassingTrouble(
        f"{server.address} still answers with status {status} after several tries: look at its log, or try later.", wait_s
    )


def asked_wait_s(headers: "Mapping[str, str]") -> float | None:
    """Read `Retry-After-Ms`, or `Retry-After` in seconds or as a date; None when neither is there or to be understood."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "")
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None
