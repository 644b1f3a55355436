"""Media files in a directory of this machine.

`objects/` holds the files by key, `types/` their content types by the same key, and `scratch/` what is not whole yet:
all on one file system, so that a rename puts a finished file in place at once.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.urls import reverse

from heimdex.storage.base import CHUNK, DEFAULT_TYPE, MediaStorage, StoredFile, UploadTarget, safe_filename, valid_key, valid_prefix
from heimdex.storage.options import LocalOptions
from heimdex.storage.tokens import ReadRight, WriteRight

# No upload writes for so long without a pause: what is older was left by a process that was killed.
_STALE_SCRATCH_S = 24 * 3600


class LocalStorage(MediaStorage):
    """Files under `options.root`, reached by clients through `heimdex.storage.views`."""

    def __init__(self, options: LocalOptions) -> None:
        self.options = options
        self._objects = options.root / "objects"
        self._types = options.root / "types"
        self._scratch = options.root / "scratch"

    def upload_target(self, key: str, *, size: int, content_type: str, expires_in_s: int) -> UploadTarget:
        expires = int(time.time()) + expires_in_s
        right = WriteRight(valid_key(key), size, content_type, expires)
        return UploadTarget("PUT", self._url(right.token()), {"Content-Type": content_type}, datetime.fromtimestamp(expires, UTC))

    def download_url(self, key: str, expires_in_s: int, filename: str | None = None) -> str:
        right = ReadRight(valid_key(key), filename and safe_filename(filename), int(time.time()) + expires_in_s)
        return self._url(right.token())

    def size(self, key: str) -> int | None:
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    def content_type(self, key: str) -> str:
        """Return the content type that the file was stored with."""
        try:
            return (self._types / valid_key(key)).read_text()
        except FileNotFoundError:
            return DEFAULT_TYPE

    def open(self, key: str) -> BinaryIO:
        return self._path(key).open("rb")

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(f"The media directory holds no {key}.")
        yield path

    def save(self, key: str, data: bytes | BinaryIO, content_type: str = DEFAULT_TYPE) -> None:
        with self.scratch_file() as (file, path):
            if isinstance(data, bytes):
                file.write(data)
            else:
                shutil.copyfileobj(data, file, CHUNK)
            self.adopt(file, path, key, content_type)

    @contextmanager
    def scratch_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Yield a new file, and its path, that is gone after the block unless `adopt` took it."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._remove_stale_scratch()
        path = self._scratch / secrets.token_hex(16)
        try:
            with path.open("xb") as file:
                yield file, path
        finally:
            path.unlink(missing_ok=True)

    def adopt(self, file: BinaryIO, path: Path, key: str, content_type: str) -> None:
        """Put a finished scratch file under its key, whole and on the disk."""
        target, type_file = self._path(key), self._types / key
        file.flush()
        os.fsync(file.fileno())
        for parent in (target.parent, type_file.parent):
            parent.mkdir(parents=True, exist_ok=True)
        type_file.write_text(content_type)
        path.replace(target)

    def move(self, src: str, dst: str) -> None:
        source, target = self._path(src), self._path(dst)
        if not source.is_file():
            raise FileNotFoundError(f"The media directory holds no {src}.")
        content_type = self.content_type(src)
        for parent in (target.parent, (self._types / dst).parent):
            parent.mkdir(parents=True, exist_ok=True)
        (self._types / dst).write_text(content_type)
        source.replace(target)
        (self._types / src).unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)
        (self._types / key).unlink(missing_ok=True)

    def delete_prefix(self, prefix: str) -> None:
        folder = valid_prefix(prefix)
        self._scratch.mkdir(parents=True, exist_ok=True)
        for tree in (self._objects, self._types):
            doomed = self._scratch / secrets.token_hex(16)
            try:
                # Out of the way first, so that a file written meanwhile neither stops the removal nor survives half;
                # and made young, or another process may take it for a leftover and remove it too.
                os.utime(tree / folder)
                (tree / folder).rename(doomed)
            except (FileNotFoundError, NotADirectoryError):
                continue
            shutil.rmtree(doomed)

    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        yield from _files_below(self._objects, valid_prefix(prefix) if prefix else "")

    def check(self) -> list[str]:
        try:
            with self.scratch_file() as (file, _):
                file.write(b"x")
                file.flush()
        except OSError as error:
            return [f"Files cannot be written under {self.options.root} ({error.strerror}). Set HEIMDEX_HOME to a directory of this user."]
        return []

    def _path(self, key: str) -> Path:
        return self._objects / valid_key(key)

    def _url(self, token: str) -> str:
        return self.options.public_url.rstrip("/") + reverse("media-file", args=[token])

    def _remove_stale_scratch(self) -> None:
        limit = time.time() - _STALE_SCRATCH_S
        for path in self._scratch.iterdir():
            try:
                if path.stat().st_mtime < limit:
                    path.unlink() if path.is_file() else shutil.rmtree(path)
            except FileNotFoundError:
                # Another process removed it, or its upload ended just now.
                continue


def _files_below(root: Path, prefix: str) -> Iterator[StoredFile]:
    """Yield the files in a folder of `root` (empty, or ending with a slash) and below; what vanishes meanwhile is left out."""
    try:
        with os.scandir(root / prefix) as entries:
            # A folder's keys all begin with its name and a slash, so with that it stands at its place among the files.
            names = sorted(f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.endswith("/"):
            yield from _files_below(root, prefix + name)
            continue
        try:
            found = (root / prefix / name).stat()
        except FileNotFoundError:
            continue
        yield StoredFile(prefix + name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))
