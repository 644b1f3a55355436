"""Outages of real parts: an S3 endpoint without a server, a full file system, and what a test waits for."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from django.utils import timezone

from heimdex.outages.models import Outage
from heimdex.outages.record import probe_due_outages
from heimdex.storage import MEDIA_ALIAS
from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.s3 import S3MediaStorage
from tests.heimdex.storage.seaweed import find_free_ports

CAPACITY = 4 * 1024 * 1024


def make_unreachable_storage(scratch: Path) -> S3MediaStorage:
    """Return an S3 storage at a port where nothing listens."""
    [port] = find_free_ports(1)
    return S3MediaStorage(
        bucket="media", endpoint_url=f"http://127.0.0.1:{port}", region="x", access_key="access", secret_key="x" * 8, scratch=scratch
    )


@contextmanager
def storage_away(scratch: Path) -> Iterator[None]:
    """Use a storage that cannot be reached, until the block ends."""
    with mock.patch("heimdex.storage.storages", {MEDIA_ALIAS: make_unreachable_storage(scratch)}):
        yield


@contextmanager
def local_storage(root: Path) -> Iterator[LocalMediaStorage]:
    """Use a local storage in this directory, until the block ends."""
    storage = LocalMediaStorage(root=root)
    with mock.patch("heimdex.storage.storages", {MEDIA_ALIAS: storage}):
        yield storage


def let_probes_come() -> None:
    """Make the next probe of every outage due."""
    Outage.objects.update(next_probe_at=timezone.now())


def probe_now() -> bool:
    """Probe every outage at once. Return whether all are over."""
    let_probes_come()
    probe_due_outages()
    return not Outage.objects.exists()


@contextmanager
def mount_small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of a few megabytes; skip the test where that is not permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={CAPACITY}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small file system here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_disk(folder: Path) -> Path:
    """Fill the file system of a folder, and return the file that does."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            pass
    return filler
