"""The secret key of an installation, and the older keys that still verify what they signed (fallbacks). Free of Django.

The first line of the file under HEIMDEX_HOME is the key, and every further line a fallback, so that a rotation is one atomic step.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from heimdex.private_files import write_private_text


@dataclass(frozen=True)
class SecretKeys:
    """The key that signs, and the fallbacks, newest first. No `repr` shows them."""

    current: str = field(repr=False)
    fallbacks: tuple[str, ...] = field(default=(), repr=False)

    def rotate(self, key: str) -> Self:
        """Return the keys with `key` as the one that signs, and the others as fallbacks."""
        return type(self)(key, (self.current, *self.fallbacks))

    def drop_fallbacks(self) -> Self:
        """Return the keys without fallbacks."""
        return type(self)(self.current)

    def accept_too(self, keys: tuple[str, ...]) -> Self:
        """Return the keys with further fallbacks, none of them twice."""
        known = (self.current, *self.fallbacks)
        return type(self)(self.current, (*self.fallbacks, *(key for key in keys if key not in known)))


def make_secret_key() -> str:
    """Return a new key."""
    return secrets.token_urlsafe(50)


def read_secret_keys(path: Path) -> SecretKeys:
    """Read the keys of a file. Raise OSError when it cannot be read."""
    current, *fallbacks = path.read_text().split("\n")
    return SecretKeys(current, tuple(key for key in fallbacks if key))


def write_secret_keys(path: Path, keys: SecretKeys) -> None:
    """Replace the file atomically: a killed process leaves the old keys or the new ones. Raise OSError when it cannot be written."""
    write_private_text(path, "\n".join([keys.current, *keys.fallbacks]))


def create_secret_key(path: Path) -> None:
    """Create the file with a new key, unless another process is first. Raise OSError when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{secrets.token_hex(4)}")
    scratch.touch(mode=0o600)
    scratch.write_text(make_secret_key())
    try:
        # A hard link fails if another process was first; both then read the same key.
        path.hardlink_to(scratch)
    except FileExistsError:
        pass
    finally:
        scratch.unlink()
