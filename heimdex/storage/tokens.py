"""Signed, expiring grants to upload or download one local file. The token in a URL is the grant."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing

# The salts are part of URLs that clients hold: a change would invalidate them.
_UPLOAD_SALT, _DOWNLOAD_SALT = "heimdex.storage.write", "heimdex.storage.read"


class InvalidTokenError(Exception):
    """A token is forged, truncated, expired, or for another purpose; the message is for the client."""


@dataclass(frozen=True)
class UploadGrant:
    """Permits storing exactly `size` bytes of `content_type` under `key` until `expires` (Unix time, seconds)."""

    key: str
    size: int
    content_type: str
    expires: int

    def sign(self) -> str:
        """Return the token of this grant."""
        return signing.dumps(asdict(self), salt=_UPLOAD_SALT)

    @classmethod
    def from_token(cls, token: str) -> "UploadGrant":
        """Return the grant of a token. Raise InvalidTokenError when it is invalid or has expired."""
        return cls(**_load(token, _UPLOAD_SALT, "upload"))

    def check_expiry(self) -> None:
        """Raise InvalidTokenError when the grant has expired, perhaps while the file was on its way."""
        _check_expiry(self.expires, "upload")


@dataclass(frozen=True)
class DownloadGrant:
    """Permits reading `key` until `expires` (Unix time, seconds); with `filename`, as a download."""

    key: str
    filename: str | None
    expires: int

    def sign(self) -> str:
        """Return the token of this grant."""
        return signing.dumps(asdict(self), salt=_DOWNLOAD_SALT)

    @classmethod
    def from_token(cls, token: str) -> "DownloadGrant":
        """Return the grant of a token. Raise InvalidTokenError when it is invalid or has expired."""
        return cls(**_load(token, _DOWNLOAD_SALT, "download"))


def _load(token: str, salt: str, purpose: str) -> dict[str, Any]:
    try:
        payload: dict[str, Any] = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise InvalidTokenError(f"This {purpose} URL is not valid.") from error
    _check_expiry(payload["expires"], purpose)
    return payload


def _check_expiry(expires: int, purpose: str) -> None:
    if expires <= time.time():
        raise InvalidTokenError(f"This {purpose} URL has expired. Request a new one.")
