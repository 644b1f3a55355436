"""An upload that was accepted ends when the disk fills before it has arrived."""

import asyncio
from pathlib import Path

from pytest_django import Settings

from heimdex.errors import OutOfSpace
from heimdex.web.client import Client, Message
from heimdex.web.patience import Patience
from heimdex.web.uploads import FileThreads, _write_body

MIB = 1024**2
EVERYTHING = 2**50


def test_the_reserve_is_kept_while_a_file_arrives(tmp_path: Path, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 0
    arrived = 0

    async def receive() -> Message:
        nonlocal arrived
        arrived += 1
        if arrived == 10:
            # Other uploads, which were accepted at the same time, have used what was free.
            settings.DISK_RESERVE_BYTES = EVERYTHING
        return {"type": "http.request", "body": bytes(MIB), "more_body": arrived < 40}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    client = Client(receive, send, Patience.start(60, 1))
    with (tmp_path / "scratch").open("wb") as file:
        size, error = asyncio.run(_write_body(client, file, FileThreads(1)))
    assert isinstance(error, OutOfSpace)
    assert 10 * MIB <= size <= 14 * MIB
