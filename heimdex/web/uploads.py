"""Receive the body of an upload into a scratch file, without a thread of Django.

Django's view sees the request twice: with its headers, to accept or refuse it before the body arrives, and with the complete scratch file.
So tokens, states and rows are checked in one place, and any view may accept bodies in this way.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO

from heimdex.errors import OutOfSpace
from heimdex.storage import get_media_storage
from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.received import RECEIVED, Announced, Received
from heimdex.uploads.flow import check_disk
from heimdex.web.client import Client, Scope
from heimdex.web.django_threads import DjangoThreads, Response, build_environ

# A fraction of the reserve, so that many uploads at once leave most of it.
_CHECK_DISK_EVERY = 4 * 1024**2


class FileThreads:
    """Threads for reads and writes of files, which would block the event loop; each takes milliseconds, whatever the client does."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="files")

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of a call."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *arguments))


async def receive_upload(scope: Scope, client: Client, django: DjangoThreads, files: FileThreads) -> Response:
    """Return Django's response to an upload."""
    answer = await django.call(build_environ(scope, BytesIO()) | {RECEIVED: Announced()})
    storage = get_media_storage()
    if answer.status != 200 or not isinstance(storage, LocalMediaStorage):
        return answer
    scratch = storage.open_scratch_file()
    file, path = await files.run(scratch.__enter__)
    try:
        size, error = await _write_body(client, file, files)
        return await django.call(build_environ(scope, BytesIO()) | {RECEIVED: Received(file, path, size, error)})
    finally:
        await files.run(scratch.__exit__, None, None, None)


async def _write_body(client: Client, file: BinaryIO, files: FileThreads) -> tuple[int, OSError | OutOfSpace | None]:
    """Return the number of bytes written, and why no more could be written."""
    size, checked = 0, 0
    try:
        async for chunk in client.read_body():
            await files.run(file.write, chunk)
            size += len(chunk)
            if size - checked >= _CHECK_DISK_EVERY:
                # When the upload was accepted, the bytes of others that were on their way were not on the disk yet.
                checked = size
                await files.run(check_disk, 0)
        await files.run(_sync, file)
    except (OSError, OutOfSpace) as error:
        return size, error
    return size, None


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
