"""Sign JSON web tokens with the secret key, and accept those that its fallbacks signed. simplejwt itself knows one key only."""

from typing import Any

from django.conf import settings
from rest_framework_simplejwt import state
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken
from rest_framework_simplejwt.settings import api_settings as jwt_settings
from rest_framework_simplejwt.tokens import Token


class RotatingTokenBackend(TokenBackend):
    """Encode and decode tokens with the keys of the settings."""

    def __init__(self) -> None:
        super().__init__(jwt_settings.ALGORITHM)

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the token of a payload, signed with the current key."""
        return TokenBackend(self.algorithm, settings.SECRET_KEY).encode(payload)

    def decode(self, token: Token, verify: bool = True) -> dict[str, Any]:
        """Return the payload of a token that any of the keys signed. Raise TokenBackendError otherwise, and when it has expired."""
        problem: TokenBackendError | None = None
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                return TokenBackend(self.algorithm, key).decode(token, verify)
            except TokenBackendExpiredToken:
                # Its signature is right.
                raise
            except TokenBackendError as error:
                problem = problem or error
        assert problem
        raise problem


def accept_fallback_keys() -> None:
    """Let all tokens of simplejwt use this backend. They look it up by its name when they need it."""
    state.token_backend = RotatingTokenBackend()
