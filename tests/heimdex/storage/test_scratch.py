"""The disk of incomplete files: its free space, and files that do not fit."""

import errno
from pathlib import Path
from unittest import mock

import pytest

from heimdex.outages.classify import OutageKind, find_outage
from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.s3 import S3MediaStorage
from tests.outages import CAPACITY, fill_disk, make_unreachable_storage, mount_small_disk


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> LocalMediaStorage | S3MediaStorage:
    return LocalMediaStorage(root=tmp_path / "media") if request.param == "local" else make_unreachable_storage(tmp_path / "scratch")


def test_the_scratch_directory_is_made_measured_and_tried(storage: LocalMediaStorage | S3MediaStorage) -> None:
    assert storage.measure_scratch_bytes() > 0
    storage.check_scratch()
    assert list(storage.scratch.iterdir()) == []


def test_a_full_disk_is_noticed(tmp_path: Path) -> None:
    with mount_small_disk(tmp_path) as disk:
        storage = LocalMediaStorage(root=disk)
        assert 0 < storage.measure_scratch_bytes() <= CAPACITY
        fill_disk(disk)
        assert storage.measure_scratch_bytes() == 0
        with pytest.raises(OSError, match="No space left") as raised:
            storage.check_scratch()
    assert find_outage(raised.value) is OutageKind.DISK


def test_a_file_that_does_not_fit_is_not_fetched(tmp_path: Path) -> None:
    storage = make_unreachable_storage(tmp_path)
    with (
        mock.patch.object(S3MediaStorage, "size", return_value=2**62),
        pytest.raises(OSError, match="No space left") as raised,
        storage.open_local_path("owners/x"),
    ):
        pass
    assert raised.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
