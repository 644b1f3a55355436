"""The interface of a media storage, and the rules for keys and file names that every implementation follows."""

import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

CHUNK = 1024 * 1024
DEFAULT_TYPE = "application/octet-stream"

# No segment starts with a dot, which excludes `..` and hidden files, and none is empty, so no key is absolute.
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
_MAX_KEY = 500
_MAX_FILENAME = 150


class StorageError(OSError):
    """The storage failed; the message names the cause and the setting to change."""


class FileReplacedError(StorageError):
    """A file was replaced while it was moved. It is still under its first key, and the move can be repeated."""


class InvalidKeyError(ValueError):
    """A key or prefix has a form that this server never creates."""


@dataclass(frozen=True)
class UploadTarget:
    """How a client sends a file: it must send `headers` unchanged, and the announced Content-Length."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True)
class StoredFile:
    """One file of a listing: its key, its size in bytes, and when it was stored."""

    key: str
    size: int
    stored_at: datetime


class MediaStorage(ABC):
    """Files by key, such as `owners/<uuid>/videos/<uuid>/original`; clients never choose a key.

    It is registered in Django's STORAGES, but is not a `django.core.files.storage.Storage`: keys are exact instead of suggestions, and
    presigned uploads, moves and listings are part of the interface.

    Methods that read bytes raise FileNotFoundError when the key holds no file. InvalidKeyError is a bug in Heimdex; StorageError means
    that the storage itself failed. A key never holds a partial file.
    """

    @abstractmethod
    def presign_upload(self, key: str, *, size: int, content_type: str, expires_in_s: int) -> UploadTarget:
        """Return where a client may PUT exactly `size` bytes of `content_type`; the URL may be a path of this host.

        A URL that this server cannot revoke expires earlier than asked for.
        """

    @abstractmethod
    def presign_download(self, key: str, *, expires_in_s: int, filename: str | None = None) -> str:
        """Return a URL that serves the file without a login: inline, or as a download named `filename`.

        The URL may be a path of this host. It returns 404 when the key holds no file.
        """

    @abstractmethod
    def list_client_origins(self) -> list[str]:
        """Return the origins (scheme, host and port) of presigned URLs other than this site's own."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None when the key holds no file."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Open a file for reading and seeking."""

    @abstractmethod
    def open_local_path(self, key: str) -> AbstractContextManager[Path]:
        """Yield a path that libraries can read during the block; the file must not be changed."""

    @abstractmethod
    def save(self, key: str, data: bytes | BinaryIO, content_type: str = DEFAULT_TYPE) -> None:
        """Write a file, replacing any file under the key."""

    @abstractmethod
    def move(self, src: str, dst: str) -> None:
        """Move a file to another key, replacing any file there; a presigned upload to `src` no longer reaches it.

        Raise FileReplacedError when the file is replaced meanwhile.
        """

    @abstractmethod
    def copy(self, src: str, dst: str) -> None:
        """Copy a file to another key, replacing any file there. Later changes of one do not change the other.

        Raise FileReplacedError when the file is replaced meanwhile.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete a file if it exists."""

    @abstractmethod
    def delete_prefix(self, prefix: str) -> None:
        """Delete all files whose key starts with `prefix` and a slash."""

    @abstractmethod
    def list_files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yield all files, or those whose key starts with `prefix` and a slash, in ascending order of their keys.

        The listing is lazy: its memory does not grow beyond the largest directory. Some services (SeaweedFS) sort by directory, so that
        `a/1` comes before `a.b`; keys of the same form have the same order everywhere.
        """

    def list_keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys of `list_files`, in ascending order."""
        return (file.key for file in self.list_files(prefix))

    @abstractmethod
    def measure_free_bytes(self) -> int | None:
        """Return how many bytes can still be stored, or None when the storage has no such limit."""

    @property
    @abstractmethod
    def scratch(self) -> Path:
        """The directory of this machine that holds incomplete and fetched files. It exists after `measure_scratch_bytes`."""

    @abstractmethod
    def measure_scratch_bytes(self) -> int:
        """Return how many bytes this machine can still fetch or write. Create the directory if it is missing."""

    def check_scratch(self) -> None:
        """Write a small file to the scratch directory, and delete it. Raise OSError when that fails."""
        with tempfile.NamedTemporaryFile(dir=self.scratch) as file:
            file.write(bytes(CHUNK))
            file.flush()
            os.fsync(file.fileno())

    @abstractmethod
    def check(self) -> list[str]:
        """Return one sentence per problem of the storage, each naming the setting to change."""


def make_private(directory: Path) -> None:
    """Keep other users of this machine out of a directory. A directory of another user, such as a container's volume, is not changed."""
    if directory.stat().st_mode & 0o077:
        with suppress(PermissionError):
            directory.chmod(0o700)


def validate_key(key: str) -> str:
    """Return `key`. Raise InvalidKeyError when it is malformed."""
    if len(key) > _MAX_KEY or not _KEY.fullmatch(key):
        raise InvalidKeyError(f"{key[:80]!r} is not a storage key.")
    return key


def validate_prefix(prefix: str) -> str:
    """Return `prefix` with one trailing slash, so that `videos/1` never matches `videos/10`. Raise InvalidKeyError when it is malformed."""
    return validate_key(prefix.removesuffix("/")) + "/"


def sanitize_filename(name: str) -> str:
    """Return a name that is safe in a Content-Disposition header and on any file system: no path, no control characters, not too long."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip(". ")
    stem, dot, suffix = printable.rpartition(".")
    if dot and len(suffix) <= 10:
        return f"{stem[: _MAX_FILENAME - len(suffix) - 1]}.{suffix}"
    return printable[:_MAX_FILENAME] or "file"
