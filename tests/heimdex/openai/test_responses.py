"""A server's errors are input errors, transient or permanent."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import openai
import pytest

from heimdex.errors import ModelInputError, ModelUnavailable
from heimdex.openai.responses import Endpoint, TransientError, parse_retry_after, translate_error

ENDPOINT = Endpoint("http://models.local/v1", "small-model", "these texts", "list of embeddings")
REQUEST = httpx2.Request("POST", "http://models.local/v1/embeddings")


def translate(status: int, code: str = "", headers: dict[str, str] | None = None) -> Exception:
    response = httpx2.Response(status, headers=headers, request=REQUEST)
    return translate_error(openai.APIStatusError("too long", response=response, body={"code": code}), ENDPOINT, 5.0)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_rejected_input_is_an_error_of_the_input(status: int) -> None:
    error = translate(status)
    assert isinstance(error, ModelInputError)
    assert str(error) == "http://models.local/v1 rejects these texts for small-model: too long."


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_key_is_permanent(status: int) -> None:
    error = translate(status)
    assert isinstance(error, ModelUnavailable)
    assert "HEIMDEX_OPENAI_API_KEY" in str(error)


@pytest.mark.parametrize("status", [404, 405])
def test_a_missing_model_is_permanent(status: int) -> None:
    error = translate(status)
    assert isinstance(error, ModelUnavailable)
    assert "has no model small-model" in str(error)


@pytest.mark.parametrize("status", [402, 408, 409, 421, 423, 428, 430, 500, 503])
def test_any_other_status_is_transient(status: int) -> None:
    error = translate(status, headers={"Retry-After": "7"})
    assert isinstance(error, TransientError)
    assert (error.retry_after_s, error.rate_limited) == (7.0, False)
    assert f"status {status}" in str(error)


def test_a_busy_server_is_rate_limited_but_an_empty_account_is_permanent() -> None:
    busy = translate(429, headers={"Retry-After": "7"})
    assert isinstance(busy, TransientError)
    assert (busy.retry_after_s, busy.rate_limited) == (7.0, True)
    empty = translate(429, "insufficient_quota")
    assert isinstance(empty, ModelUnavailable)
    assert "429" in str(empty)


def test_a_missing_or_unreadable_answer_is_transient() -> None:
    errors = [openai.APITimeoutError(REQUEST), openai.APIConnectionError(request=REQUEST), ValueError("no JSON")]
    timeout, unreachable, unreadable = (translate_error(error, ENDPOINT, 2.5) for error in errors)
    assert {type(error) for error in (timeout, unreachable, unreadable)} == {TransientError}
    assert "did not answer within 2.5 s" in str(timeout)
    assert "cannot be reached" in str(unreachable)
    assert "not answer with a list of embeddings" in str(unreadable)
    assert isinstance(timeout, TransientError)
    assert (timeout.retry_after_s, timeout.rate_limited) == (None, False)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "1.5.2"}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "1500", "retry-after": "12"}, 1.5),
        ({"retry-after-ms": "-5"}, 0.0),
        ({"retry-after-ms": "soon", "retry-after": "12"}, None),
    ],
)
def test_retry_after_is_read_in_milliseconds_or_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert parse_retry_after(headers) == seconds


def test_retry_after_can_be_a_date() -> None:
    future, past = (format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True) for seconds in (100, -100))
    seconds = parse_retry_after({"retry-after": future})
    assert seconds is not None
    assert 95 < seconds <= 100
    assert parse_retry_after({"retry-after": past}) == 0.0
