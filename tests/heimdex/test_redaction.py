"""Secrets are removed from texts, and ordinary texts stay as they are."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdex import redaction
from heimdex.redaction import MIN_SECRET_LENGTH, redact, redact_text, register_secrets

CANARY = "c4n4ry-Pa55word"


@pytest.fixture(autouse=True)
def forget_secrets() -> Iterator[None]:
    registered = redaction._secrets
    register_secrets([])
    yield
    redaction._secrets = registered


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://heimdex:{CANARY}@127.0.0.1:5432/heimdex",
        f"redis://:{CANARY}@redis:6379/0",
        f"host=db user=heimdex password={CANARY} dbname=heimdex",
        f"password='{CANARY} with a space'",
        f'{{"password": "{CANARY}", "email": "a@example.com"}}',
        f"new_password2={CANARY}&next=/",
        f"Authorization: Bearer {CANARY}",
        f"Cookie: sessionid={CANARY}",
        f"https://bucket.example.com/owners/1/original?X-Amz-Expires=900&X-Amz-Signature={CANARY}",
        f"GET /v1/files/{CANARY}:1tabcd:abcdefghijklmnopqrstuvwxyz01234 HTTP/1.1",
        f"GET /v1/files/{CANARY} HTTP/1.1",
        f"/accounts/confirm?token={CANARY}",
        f"sk-{CANARY}",
        "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoxfQ.c4n4ry-Pa55word",
        f"api_key={CANARY}",
        f"log_in(username='ada', password='{CANARY}')",
        f"otpauth://totp/a%40example.com?secret={CANARY}&issuer=Heimdex",
        f"the set-up gAAAAABp{CANARY}0123456789abcdef==",
        f"recovery_codes='{CANARY}'",
    ],
)
def test_secrets_are_removed_by_their_form(text: str) -> None:
    assert CANARY not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Using embedding spec version: 2026-01-06",
        "Started reprocessing (spec_version=2026-01-06, scope=owner:5f1c4f2e-8f6e-4a41-9d56-3e8a6ffb5c9e)",
        "https://example.com/videos/5f1c4f2e-8f6e-4a41-9d56-3e8a6ffb5c9e?page=2&q=token+ring",
        "owners/0b699b00-dc2b-42c5-a2dd-2d38448df23a/videos/9caad8a2-4bad-40c2-a823-91be8317ba2e/original",
        "2026-11-27T06:27:25.368857Z",
        "The key of the map is at 10:20:30.",
        "The password is too short.",
        "Basic settings are complete. Tokens: 1,024",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact_text(text) == text


def test_a_signed_url_keeps_its_route() -> None:
    assert redact_text("GET /v1/files/abc.def HTTP/1.1") == "GET /v1/files/[redacted] HTTP/1.1"
    assert redact_text("https://s3.example.com/bucket/key?a=1&X-Amz-Signature=ff00") == "https://s3.example.com/bucket/key?[redacted]"
    assert redact_text("redis://:secret@redis:6379/0") == "redis://[redacted]@redis:6379/0"


@given(secret=st.text(min_size=MIN_SECRET_LENGTH), before=st.text(), after=st.text())
def test_registered_secrets_are_removed_wherever_they_occur(secret: str, before: str, after: str) -> None:
    register_secrets([secret])
    assert secret not in redact_text(before + secret + after).replace(redaction.REDACTED, "\0")


def test_short_values_are_not_registered() -> None:
    register_secrets(["postgres"[: MIN_SECRET_LENGTH - 1]])
    assert redact_text("postgres is down") == "postgres is down"
    register_secrets(["postgres"])
    assert redact_text("postgres is down") == "[redacted] is down"


def test_values_are_redacted_by_name_at_any_depth() -> None:
    record = {"user": "ada", "password": CANARY, "headers": [{"authorization": CANARY, "accept": "*/*"}], "otp": 123456, "count": 3}
    assert redact(record) == {
        "user": "ada",
        "password": "[redacted]",
        "headers": [{"authorization": "[redacted]", "accept": "*/*"}],
        "otp": "[redacted]",
        "count": 3,
    }


def test_objects_become_redacted_texts() -> None:
    assert redact(ValueError(f"password={CANARY}")) == "password=[redacted]"
    assert redact((f"sk-{CANARY}", None, 1.5)) == ["[redacted]", None, 1.5]
