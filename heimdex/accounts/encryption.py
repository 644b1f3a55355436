"""Encrypt the secrets that the database holds, with keys derived from the secret key and its fallbacks."""

from base64 import urlsafe_b64encode
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.utils.encoding import force_bytes

# A part of every key: a change would make all secrets unreadable.
_PURPOSE = b"heimdex.accounts.encryption"
# The encrypted values of an authenticator: the key of a TOTP app, and what recovery codes are computed from.
_ENCRYPTED = ("secret", "seed")


class Unreadable(Exception):
    """A value was encrypted with another key, was changed, or is too old."""


def encrypt(text: str) -> str:
    """Encrypt a text with the first key."""
    return _build_fernet().encrypt(text.encode()).decode()


def decrypt(token: str, lifetime: timedelta | None = None) -> str:
    """Decrypt a text with any of the keys. Raise Unreadable, also when it is older than `lifetime`."""
    try:
        return _build_fernet().decrypt(token.encode(), ttl=int(lifetime.total_seconds()) if lifetime else None).decode()
    except (InvalidToken, UnicodeEncodeError) as error:
        raise Unreadable from error


def reencrypt_secrets() -> int:
    """Encrypt all secrets with the first key, so that the fallbacks can be removed. Return the number.

    Raise Unreadable, and change nothing, when a secret was encrypted with none of the keys.
    """
    from allauth.mfa.models import Authenticator

    fernet, count = _build_fernet(), 0
    with transaction.atomic():
        for authenticator in Authenticator.objects.select_for_update().order_by("pk"):
            names = [name for name in _ENCRYPTED if name in authenticator.data]
            try:
                authenticator.data |= {name: fernet.rotate(authenticator.data[name]).decode() for name in names}
            except InvalidToken as error:
                raise Unreadable from error
            authenticator.save(update_fields=["data"])
            count += len(names)
    return count


def _build_fernet() -> MultiFernet:
    return MultiFernet([Fernet(_derive_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _derive_key(secret: str | bytes) -> bytes:
    return urlsafe_b64encode(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(force_bytes(secret)))
