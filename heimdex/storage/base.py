"""What a media storage does, and the rules that hold for every one of them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

CHUNK = 1024 * 1024
DEFAULT_TYPE = "application/octet-stream"

# No segment begins with a dot, so neither `..` nor a hidden file can be named, and none is empty, so no key is absolute.
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
_MAX_KEY = 500
_MAX_FILENAME = 150


class StorageError(OSError):
    """The storage cannot do what was asked; the message says why and what to change."""


class InvalidKeyError(ValueError):
    """A key or prefix is not one that this server makes."""


@dataclass(frozen=True)
class UploadTarget:
    """Where and how a client sends a file: `headers` must be sent as they stand, with the announced Content-Length."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True)
class StoredFile:
    """A file as a listing shows it: its key, its size in bytes, and when it was put under that key."""

    key: str
    size: int
    stored_at: datetime


class MediaStorage(ABC):
    """Files by key, such as `owners/<uuid>/videos/<uuid>/original`. Clients never choose a key.

    A key that holds nothing raises FileNotFoundError where bytes are asked for, InvalidKeyError is a fault of ours,
    and StorageError means that the storage itself failed. A file under its key is always whole.
    """

    @abstractmethod
    def upload_target(self, key: str, *, size: int, content_type: str, expires_in_s: int) -> UploadTarget:
        """Return where a client may PUT exactly `size` bytes of `content_type`; `url` may be a path of this host."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None when the key holds nothing."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Open a file for reading and seeking."""

    @abstractmethod
    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """Yield a path that libraries can read until the block ends; do not change the file."""

    @abstractmethod
    def save(self, key: str, data: bytes | BinaryIO, content_type: str = DEFAULT_TYPE) -> None:
        """Write a file, replacing what the key held."""

    @abstractmethod
    def move(self, src: str, dst: str) -> None:
        """Give a file another key, replacing what that held; an upload address for `src` no longer reaches it."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove one file; nothing happens when the key holds nothing."""

    @abstractmethod
    def delete_prefix(self, prefix: str) -> None:
        """Remove all files whose key begins with `prefix` and a slash."""

    @abstractmethod
    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yield all files whose key begins with `prefix` and a slash, or all there are, in ascending order of their keys.

        They are listed as they are asked for, so a library of any size takes no more memory than its largest directory. Some services
        (SeaweedFS) sort by directory, so that `a/1` comes before `a.b`; among names of equal form the order is the same everywhere.
        """

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys of `files`, in ascending order."""
        return (file.key for file in self.files(prefix))

    @abstractmethod
    def download_url(self, key: str, expires_in_s: int, filename: str | None = None) -> str:
        """Return an address that serves the file without a log-in: in the page, or as a download named `filename`.

        The address may be a path of this host. It answers 404 when the key holds nothing.
        """

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the storage from working, one sentence each that names the setting to change."""


def valid_key(key: str) -> str:
    """Return `key`, or raise InvalidKeyError."""
    if len(key) > _MAX_KEY or not _KEY.fullmatch(key):
        raise InvalidKeyError(f"{key[:80]!r} is no storage key.")
    return key


def valid_prefix(prefix: str) -> str:
    """Return `prefix` with one slash at its end, so that `videos/1` never reaches `videos/10`, or raise InvalidKeyError."""
    return valid_key(prefix.removesuffix("/")) + "/"


def safe_filename(name: str) -> str:
    """Return a name that fits a Content-Disposition header and any file system: no path, no control characters, not too long."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip(". ")
    stem, dot, suffix = printable.rpartition(".")
    if dot and len(suffix) <= 10:
        return f"{stem[: _MAX_FILENAME - len(suffix) - 1]}.{suffix}"
    return printable[:_MAX_FILENAME] or "file"
