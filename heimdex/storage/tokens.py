"""Signed, expiring rights to write or read one local file; the token in an address is the whole right."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing

_WRITE, _READ = "heimdex.storage.write", "heimdex.storage.read"


class InvalidTokenError(Exception):
    """A token is forged, cut off, expired, or for another purpose; the message says so to the client."""


@dataclass(frozen=True)
class WriteRight:
    """The right to store exactly `size` bytes of `content_type` under `key` until `expires` (seconds since 1970)."""

    key: str
    size: int
    content_type: str
    expires: int

    def token(self) -> str:
        return signing.dumps(asdict(self), salt=_WRITE)

    @classmethod
    def from_token(cls, token: str) -> "WriteRight":
        return cls(**_payload(token, _WRITE, "upload"))


@dataclass(frozen=True)
class ReadRight:
    """The right to read `key` until `expires` (seconds since 1970); with a file name, as a download."""

    key: str
    filename: str | None
    expires: int

    def token(self) -> str:
        return signing.dumps(asdict(self), salt=_READ)

    @classmethod
    def from_token(cls, token: str) -> "ReadRight":
        return cls(**_payload(token, _READ, "download"))


def _payload(token: str, salt: str, purpose: str) -> dict[str, Any]:
    try:
        payload: dict[str, Any] = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise InvalidTokenError(f"This is not a valid {purpose} address.") from error
    if payload["expires"] <= time.time():
        raise InvalidTokenError(f"This {purpose} address has expired. Ask for a new one.")
    return payload
