"""Media files in a local directory.

`objects/` holds the files by key, `types/` their content types by the same key, and `scratch/` incomplete files. All are on one file
system, so that a rename publishes a complete file atomically.
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
from urllib.parse import urlsplit

from django.urls import reverse

from heimdex.storage.base import (
    CHUNK,
    DEFAULT_TYPE,
    MediaStorage,
    StoredFile,
    UploadTarget,
    make_private,
    sanitize_filename,
    validate_key,
    validate_prefix,
)
from heimdex.storage.tokens import DownloadGrant, UploadGrant

# No upload goes without a write for this long; older files belong to killed processes.
_STALE_SCRATCH_S = 24 * 3600


class LocalMediaStorage(MediaStorage):
    """Files under `root`, which clients reach through `heimdex.storage.views`.

    `public_url` precedes presigned URLs; without it they are paths of this host.
    """

    def __init__(self, *, root: Path, public_url: str = "") -> None:
        self.root = root
        self.public_url = public_url
        self._objects = root / "objects"
        self._types = root / "types"
        self._scratch = root / "scratch"

    def presign_upload(self, key: str, *, size: int, content_type: str, expires_in_s: int) -> UploadTarget:
        expires = int(time.time()) + expires_in_s
        grant = UploadGrant(validate_key(key), size, content_type, expires)
        return UploadTarget("PUT", self._build_url(grant.sign()), {"Content-Type": content_type}, datetime.fromtimestamp(expires, UTC))

    def presign_download(self, key: str, *, expires_in_s: int, filename: str | None = None) -> str:
        grant = DownloadGrant(validate_key(key), filename and sanitize_filename(filename), int(time.time()) + expires_in_s)
        return self._build_url(grant.sign())

    def list_client_origins(self) -> list[str]:
        parts = urlsplit(self.public_url)
        return [f"{parts.scheme}://{parts.netloc}"] if self.public_url else []

    def size(self, key: str) -> int | None:
        path = self._resolve_path(key)
        return path.stat().st_size if path.is_file() else None

    def content_type(self, key: str) -> str:
        """Return the content type that the file was saved with."""
        try:
            return (self._types / validate_key(key)).read_text()
        except FileNotFoundError:
            return DEFAULT_TYPE

    def open(self, key: str) -> BinaryIO:
        return self._resolve_path(key).open("rb")

    @contextmanager
    def open_local_path(self, key: str) -> Iterator[Path]:
        path = self._resolve_path(key)
        if not path.is_file():
            raise FileNotFoundError(f"The media directory has no file {key}.")
        yield path

    def save(self, key: str, data: bytes | BinaryIO, content_type: str = DEFAULT_TYPE) -> None:
        with self.open_scratch_file() as (file, path):
            if isinstance(data, bytes):
                file.write(data)
            else:
                shutil.copyfileobj(data, file, CHUNK)
            self.commit(file, path, key, content_type)

    @contextmanager
    def open_scratch_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Yield a new file and its path; delete it after the block unless `commit` moved it."""
        self._ensure_scratch()
        self._remove_stale_scratch()
        path = self._scratch / secrets.token_hex(16)
        try:
            with path.open("xb") as file:
                yield file, path
        finally:
            path.unlink(missing_ok=True)

    def _ensure_scratch(self) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        make_private(self.root)

    def commit(self, file: BinaryIO, path: Path, key: str, content_type: str) -> None:
        """Sync a complete scratch file to disk and move it to its key."""
        target, type_file = self._resolve_path(key), self._types / key
        file.flush()
        os.fsync(file.fileno())
        for parent in (target.parent, type_file.parent):
            parent.mkdir(parents=True, exist_ok=True)
        type_file.write_text(content_type)
        path.replace(target)

    def move(self, src: str, dst: str) -> None:
        source, target = self._resolve_path(src), self._resolve_path(dst)
        if not source.is_file():
            raise FileNotFoundError(f"The media directory has no file {src}.")
        content_type = self.content_type(src)
        for parent in (target.parent, (self._types / dst).parent):
            parent.mkdir(parents=True, exist_ok=True)
        (self._types / dst).write_text(content_type)
        source.replace(target)
        (self._types / src).unlink(missing_ok=True)

    def copy(self, src: str, dst: str) -> None:
        self._resolve_path(dst)
        with self.open(src) as source, self.open_scratch_file() as (file, path):
            link = path.with_suffix(".link")
            try:
                # Files are replaced and never changed, so both keys can share the bytes. Some file systems have no hard links.
                os.link(self._resolve_path(src), link)
                link.replace(path)
            except OSError:
                shutil.copyfileobj(source, file, CHUNK)
            self.commit(file, path, dst, self.content_type(src))

    def delete(self, key: str) -> None:
        self._resolve_path(key).unlink(missing_ok=True)
        (self._types / key).unlink(missing_ok=True)

    def delete_prefix(self, prefix: str) -> None:
        folder = validate_prefix(prefix)
        self._ensure_scratch()
        for tree in (self._objects, self._types):
            trash = self._scratch / secrets.token_hex(16)
            try:
                # Rename first, so that a concurrently written file neither blocks the removal nor survives partially. And
                # touch it, or another process may take it for a leftover and remove it too.
                os.utime(tree / folder)
                (tree / folder).rename(trash)
            except (FileNotFoundError, NotADirectoryError):
                continue
            shutil.rmtree(trash)

    def list_files(self, prefix: str = "") -> Iterator[StoredFile]:
        yield from _walk_files(self._objects, validate_prefix(prefix) if prefix else "")

    def measure_free_bytes(self) -> int | None:
        self._ensure_scratch()
        return shutil.disk_usage(self._scratch).free

    @property
    def scratch(self) -> Path:
        return self._scratch

    def measure_scratch_bytes(self) -> int:
        self._ensure_scratch()
        return shutil.disk_usage(self._scratch).free

    def check(self) -> list[str]:
        try:
            with self.open_scratch_file() as (file, _):
                file.write(b"x")
                file.flush()
        except OSError as error:
            return [f"Cannot write to {self.root} ({error.strerror}). Set HEIMDEX_HOME to a directory that this user can write to."]
        return []

    def _resolve_path(self, key: str) -> Path:
        return self._objects / validate_key(key)

    def _build_url(self, token: str) -> str:
        return self.public_url.rstrip("/") + reverse("media-file", args=[token])

    def _remove_stale_scratch(self) -> None:
        limit = time.time() - _STALE_SCRATCH_S
        for path in self._scratch.iterdir():
            try:
                if path.stat().st_mtime < limit:
                    path.unlink() if path.is_file() else shutil.rmtree(path)
            except FileNotFoundError:
                # Another process removed it, or its upload has just ended.
                continue


def _walk_files(root: Path, prefix: str) -> Iterator[StoredFile]:
    """Yield the files below the folder `prefix` of `root` (empty, or ending with a slash); skip files that disappear during the walk."""
    try:
        with os.scandir(root / prefix) as entries:
            # The keys in a folder start with its name and a slash, so sorting it with the slash puts it in key order.
            names = sorted(f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.endswith("/"):
            yield from _walk_files(root, prefix + name)
            continue
        try:
            status = (root / prefix / name).stat()
        except FileNotFoundError:
            continue
        yield StoredFile(prefix + name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
