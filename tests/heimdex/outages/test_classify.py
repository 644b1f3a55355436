"""Which errors count as an outage, and of what."""

import errno
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError, InterfaceError, OperationalError

from heimdex.errors import ModelInputError, ModelUnavailable, SearchServerUnavailable
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.outages.classify import OutageKind, find_outage
from heimdex.storage.base import FileReplacedError, StorageError
from heimdex.storage.s3 import S3MediaStorage
from reprocess.steps.base import InputMissing
from tests.heimdex.storage.seaweed import find_free_ports

FULL = OSError(errno.ENOSPC, "No space left on device")


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def from_database(cause: type[psycopg.Error] | None) -> Exception:
    return caused_by(OperationalError("it failed"), cause()) if cause else OperationalError("the connection is closed")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StorageError("S3 cannot be reached."), OutageKind.STORAGE),
        (caused_by(InputMissing("The keyframe cannot be read."), StorageError("away")), OutageKind.STORAGE),
        (ModelUnavailable("The server does not answer."), OutageKind.MODEL),
        (SearchServerUnavailable("OpenSearch is away."), OutageKind.SEARCH),
        (FULL, OutageKind.DISK),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), OutageKind.DISK),
        (OSError(errno.EROFS, "Read-only file system"), OutageKind.DISK),
        (caused_by(RuntimeError("it failed"), FULL), OutageKind.DISK),
        (from_database(None), OutageKind.DATABASE),
        (InterfaceError("connection already closed"), OutageKind.DATABASE),
        (from_database(psycopg.errors.AdminShutdown), OutageKind.DATABASE),
        (from_database(psycopg.errors.CannotConnectNow), OutageKind.DATABASE),
        (from_database(psycopg.errors.TooManyConnections), OutageKind.DATABASE),
        (from_database(psycopg.errors.ReadOnlySqlTransaction), OutageKind.DATABASE),
        (from_database(psycopg.errors.DiskFull), OutageKind.DISK),
    ],
)
def test_an_outage_is_found_in_an_error_or_its_cause(error: Exception, kind: OutageKind) -> None:
    assert find_outage(error) is kind


@pytest.mark.parametrize(
    "error",
    [
        None,
        FileReplacedError("The file was replaced."),
        FileNotFoundError(errno.ENOENT, "No such file"),
        caused_by(InputMissing("The keyframe cannot be read."), FileNotFoundError(errno.ENOENT, "No such file")),
        ModelInputError("The model rejects this text."),
        MediaError(MediaErrorCode.DAMAGED, "It is damaged."),
        ImproperlyConfigured("Correct HEIMDEX_MODELS."),
        KeyError("x"),
        DataError("out of range"),
        from_database(psycopg.errors.DeadlockDetected),
        from_database(psycopg.errors.QueryCanceled),
    ],
)
def test_bad_inputs_and_our_own_errors_are_no_outage(error: Exception | None) -> None:
    assert find_outage(error) is None


def test_a_storage_that_refuses_connections_is_away(tmp_path: Path) -> None:
    [port] = find_free_ports(1)
    storage = S3MediaStorage(
        bucket="media", endpoint_url=f"http://127.0.0.1:{port}", region="x", access_key="x", secret_key="x" * 8, scratch=tmp_path
    )

    with pytest.raises(StorageError) as raised:
        storage.size("owners/x")

    assert find_outage(raised.value) is OutageKind.STORAGE
    assert "cannot be reached" in storage.check()[0]
