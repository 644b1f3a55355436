"""Secrets in the database are encrypted, and survive a change of the secret key."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError

from heimdex.accounts.encryption import Unreadable, decrypt, encrypt, reencrypt_secrets
from heimdex.accounts.models import User
from heimdex.accounts.two_factor import get_status, verify_code
from tests.heimdex.accounts.second_factors import compute_code, turn_on

OLD = django_settings.SECRET_KEY


def test_what_is_encrypted_is_read_again_and_differs_each_time() -> None:
    assert decrypt(encrypt("a secret ü")) == "a secret ü"
    assert encrypt("a secret") != encrypt("a secret")
    assert "a secret" not in encrypt("a secret")


@pytest.mark.parametrize("text", ["", "nonsense", "ü", "gAAAAABn"])
def test_a_text_that_was_not_encrypted_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        decrypt(text)


def test_a_text_has_a_lifetime_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    token = encrypt("a secret")
    assert decrypt(token, timedelta(minutes=1)) == "a secret"
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: 2**33)
    with pytest.raises(Unreadable):
        decrypt(token, timedelta(minutes=1))


def test_the_database_holds_neither_secrets_nor_codes(ann: User) -> None:
    secret, codes = turn_on(ann)
    stored = str(list(Authenticator.objects.values()))
    assert secret not in stored
    assert not any(code in stored for code in codes)


def test_a_new_key_reads_old_secrets_until_they_are_encrypted_again(ann: User, settings: Any) -> None:
    secret, codes = turn_on(ann)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key of this installation", [OLD]
    assert verify_code(ann, compute_code(secret))

    assert reencrypt_secrets() == 2
    settings.SECRET_KEY_FALLBACKS = []
    assert verify_code(ann, compute_code(secret, 1))
    assert verify_code(ann, codes[0])
    settings.SECRET_KEY = OLD
    assert not verify_code(ann, codes[1])


def test_a_lost_key_opens_nothing_and_is_reported(ann: User, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    secret, codes = turn_on(ann)
    settings.SECRET_KEY = "a new key of this installation"
    assert not verify_code(ann, compute_code(secret))
    assert not verify_code(ann, codes[0])
    assert get_status(ann).is_on
    assert get_status(ann).recovery_codes_left == 0
    assert "manage.py reset_two_factor" in caplog.text
    before = list(Authenticator.objects.values())
    with pytest.raises(Unreadable):
        reencrypt_secrets()
    assert list(Authenticator.objects.values()) == before


def test_the_command_that_drops_old_keys_encrypts_again_first(ann: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, _ = turn_on(ann)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key of this installation", [OLD]
    monkeypatch.setattr(settings.ENVIRONMENT, "secret_key", "a new key of this installation")

    call_command("rotate_secret_key", "--drop-fallbacks")

    settings.SECRET_KEY_FALLBACKS = []
    assert verify_code(ann, compute_code(secret))


def test_old_keys_are_not_dropped_while_a_secret_needs_a_key_that_is_missing(
    ann: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_on(ann)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key of this installation", ["another old key"]
    monkeypatch.setattr(settings.ENVIRONMENT, "secret_key", "a new key of this installation")
    with pytest.raises(CommandError, match="Add that key to HEIMDEX_SECRET_KEY_FALLBACKS"):
        call_command("rotate_secret_key", "--drop-fallbacks")
