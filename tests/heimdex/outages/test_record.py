"""An outage from its first error to the probe that finds its end, and files that are deleted afterwards."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from structlog.testing import capture_logs

from heimdex.outages.classify import OutageKind
from heimdex.outages.delays import MAX_WAITS, compute_probe_delay_s, compute_wait_s
from heimdex.outages.deletions import delete_file, delete_files, delete_postponed
from heimdex.outages.models import Outage, PostponedDeletion
from heimdex.outages.record import begin_outage, has_outage, probe_due_outages
from heimdex.outages.tasks import probe_outages
from heimdex.profiles import OPENAI
from heimdex.storage import StorageError, get_media_storage
from tests.opensearch.backends import configure
from tests.outages import let_probes_come

pytestmark = pytest.mark.django_db


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """Return a list with what keeps the storage from working, which the test may change."""
    listed = ["S3 cannot be reached."]
    with mock.patch.object(type(get_media_storage()), "check", return_value=listed):
        yield listed


def test_an_outage_is_logged_once_and_ends_with_the_first_probe_that_succeeds(problems: list[str]) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            begin_outage(OutageKind.STORAGE, "S3 at http://10.0.0.5 cannot be reached.")
        probe_due_outages()
        assert Outage.objects.get().failed_probes == 0, "its time has not come"
        assert not has_outage(OutageKind.STORAGE)

        let_probes_come()
        probe_due_outages()
        assert has_outage(OutageKind.STORAGE)
        assert Outage.objects.get().reason == "S3 cannot be reached."

        problems.clear()
        let_probes_come()
        probe_due_outages()

    assert not Outage.objects.exists()
    events = [entry["event"] for entry in logs]
    assert events == [
        "An outage began; the work that it affects waits and continues by itself",
        "An outage is over; the waiting work continues",
    ]


def test_two_processes_do_not_probe_one_outage_at_once(problems: list[str]) -> None:
    begin_outage(OutageKind.STORAGE, "away")
    let_probes_come()
    probes: list[str] = []

    def probe(self: object) -> list[str]:
        probes.append("probed")
        probe_due_outages()
        return []

    with mock.patch.object(type(get_media_storage()), "check", probe):
        probe_due_outages()

    assert probes == ["probed"]


def test_a_model_whose_server_does_not_answer_is_away(settings: Settings) -> None:
    options = {"model": "m", "dimensions": 8, "base_url": "http://127.0.0.1:1/v1", "api_key": "", "similarity_floor": -1.0}
    settings.MODEL_BACKENDS = {"text": {"BACKEND": OPENAI, "OPTIONS": options}}
    begin_outage(OutageKind.MODEL, "away")
    let_probes_come()

    probe_due_outages()

    assert "cannot be reached" in Outage.objects.get().reason


def test_a_search_server_that_does_not_answer_is_away_until_it_is_not_used(settings: Settings) -> None:
    settings.LEXICAL_BACKENDS = configure("http://127.0.0.1:1")
    begin_outage(OutageKind.SEARCH, "away")
    let_probes_come()
    probe_due_outages()
    assert "HEIMDEX_OPENSEARCH_URL" in Outage.objects.get().reason

    settings.LEXICAL_BACKENDS = {"default": {"BACKEND": "videos.search.lexical.postgres.PostgresLexical"}}
    let_probes_come()
    probe_due_outages()
    assert not Outage.objects.exists()


def test_a_disk_below_its_reserve_is_full(settings: Settings) -> None:
    begin_outage(OutageKind.DISK, "full")
    settings.DISK_RESERVE_BYTES = 2**62
    let_probes_come()
    probe_due_outages()
    assert "free some space" in Outage.objects.get().reason

    settings.DISK_RESERVE_BYTES = 0
    let_probes_come()
    probe_due_outages()
    assert not Outage.objects.exists()


def test_delays_grow_up_to_a_limit() -> None:
    assert 5 <= compute_probe_delay_s(0) <= 6.25
    assert all(60 <= compute_probe_delay_s(failed) <= 75 for failed in (4, 10, 10_000))
    assert [compute_wait_s(waits) for waits in (0, 1)] == [0, 0]
    assert 30 <= compute_wait_s(2) <= 37.5
    assert all(3600 <= compute_wait_s(waits) <= 4500 for waits in (9, 10_000))
    assert 20 * 3600 <= sum(compute_wait_s(waits) for waits in range(MAX_WAITS)) <= 36 * 3600


def test_files_that_cannot_be_deleted_are_deleted_later(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> None:
    storage = get_media_storage()
    for key in ("tests/later/a/1", "tests/later/a/2", "tests/later/b"):
        storage.save(key, b"x")
    away = StorageError("S3 cannot be reached.")

    with (
        mock.patch.object(type(storage), "delete_prefix", side_effect=away),
        mock.patch.object(type(storage), "delete", side_effect=away),
        django_capture_on_commit_callbacks(execute=True),
        transaction.atomic(),
    ):
        delete_files("tests/later/a")
        delete_file("tests/later/b")

    assert list(storage.list_keys("tests/later")) == ["tests/later/a/1", "tests/later/a/2", "tests/later/b"]
    assert delete_postponed() == 0, "the storage is away"
    Outage.objects.all().delete()
    assert delete_postponed() == 2
    assert not list(storage.list_keys("tests/later"))
    assert not PostponedDeletion.objects.exists()


def test_nothing_is_probed_without_an_outage(tmp_path: Path) -> None:
    with mock.patch("heimdex.outages.tasks.threading.Thread") as started:
        probe_outages()
        Outage.objects.create(kind=OutageKind.STORAGE, reason="away", next_probe_at=timezone.now() + timedelta(minutes=1))
        probe_outages()

    started.assert_not_called()
