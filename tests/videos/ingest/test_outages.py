"""An ingest during outages: it waits without losing an attempt, says what it waits for, and continues by itself."""

from pathlib import Path
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.backends import get_text_embedder
from heimdex.openai.retry import RetryPolicy
from heimdex.outages.classify import OutageKind
from heimdex.outages.delays import MAX_WAITS
from heimdex.outages.models import Outage
from heimdex.storage import get_media_storage
from tests.acceptance.crashes.models import build_backends
from tests.heimdex.embedders.openai_server import EmbeddingServer, serve_embeddings
from tests.openai_protocol import Answer
from tests.outages import fill_disk, local_storage, mount_small_disk, probe_now, storage_away
from tests.videos.ingest.conftest import AddArrivedVideo, get_job, read_state, take_wake_ups
from tests.videos.ingest.made_stages import behaviors, log, make_failing
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import rescue
from videos.ingest.stage import IngestError, StageContext
from videos.models import Job, Video

pytestmark = pytest.mark.usefixtures("two_stages")

WAIT = "Heimdex tries again"


def assert_waits(video: Video, kind: OutageKind, stage: str = "second") -> None:
    assert read_state(video) == ("validating", "")
    job = get_job(video, stage)
    assert (job.state, job.attempts, job.waits_for, job.lease_token, job.lease_expires_at) == ("queued", 0, kind, None, None)
    # Neither a rescue nor a duplicated task starts it.
    ran = len(log)
    assert rescue() == 0
    ingest(video.pk)
    assert len(log) == ran


def assert_continues(video: Video, enqueued: mock.Mock) -> None:
    take_wake_ups(enqueued)
    assert probe_now()
    assert (rescue(), rescue()) == (1, 0)
    assert take_wake_ups(enqueued) == [str(video.pk)]
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")
    assert set(video.jobs.values_list("state", "attempts", "waits_for", "waits")) == {("done", 1, "", 0)}


def read_from_storage(context: StageContext) -> None:
    with get_media_storage().open(context.video.original_key) as file:
        file.read()


def test_an_ingest_waits_for_the_storage(video: Video, enqueued: mock.Mock, tmp_path: Path) -> None:
    behaviors["second"] = read_from_storage
    with storage_away(tmp_path):
        ingest(video.pk)
        assert_waits(video, OutageKind.STORAGE)
        assert not probe_now()
        assert_waits(video, OutageKind.STORAGE)

    assert_continues(video, enqueued)
    assert log == ["first", "second", "second"]


def test_during_a_confirmed_outage_of_the_storage_no_worker_tries(video: Video, enqueued: mock.Mock) -> None:
    Outage.objects.create(kind=OutageKind.STORAGE, reason="away", failed_probes=1, next_probe_at=timezone.now())

    ingest(video.pk)

    assert log == []
    assert_waits(video, OutageKind.STORAGE, "first")
    assert_continues(video, enqueued)


def embed(context: StageContext) -> None:
    get_text_embedder().embed_documents(["a boat"])


FAULTS = {"503": Answer(503), "no answer": Answer(after_s=1.0), "lost connection": Answer(drop=True)}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_ingest_waits_for_a_model_server(
    video: Video, enqueued: mock.Mock, settings: Settings, monkeypatch: pytest.MonkeyPatch, fault: Answer
) -> None:
    monkeypatch.setattr("heimdex.embedders.openai.DOCUMENT_RETRIES", RetryPolicy(attempts=2, total_s=5.0, timeout_s=0.3))
    monkeypatch.setattr("heimdex.openai.client._CHECK_TIMEOUT_S", 0.3)
    behaviors["second"] = embed
    with serve_embeddings(EmbeddingServer(dimensions=8)) as server:
        settings.MODEL_BACKENDS = build_backends(server, "any")
        server.prepared = [fault] * 3
        ingest(video.pk)
        assert_waits(video, OutageKind.MODEL)
        assert not probe_now()
        assert_waits(video, OutageKind.MODEL)

        assert_continues(video, enqueued)


def test_an_ingest_waits_for_a_model_server_that_was_stopped(video: Video, enqueued: mock.Mock, settings: Settings) -> None:
    settings.MODEL_BACKENDS = build_backends(EmbeddingServer(url="http://127.0.0.1:1/v1"), "any")
    with mock.patch("heimdex.embedders.openai.DOCUMENT_RETRIES", RetryPolicy(attempts=2, total_s=5.0, timeout_s=0.3)):
        behaviors["second"] = embed
        ingest(video.pk)
    assert_waits(video, OutageKind.MODEL)
    assert not probe_now()

    with serve_embeddings(EmbeddingServer(dimensions=8)) as server:
        settings.MODEL_BACKENDS = build_backends(server, "any")
        assert_continues(video, enqueued)


def test_an_ingest_waits_for_space_on_the_disk(
    add_arrived_video: AddArrivedVideo, enqueued: mock.Mock, settings: Settings, tmp_path: Path
) -> None:
    settings.DISK_RESERVE_BYTES = 0
    behaviors["second"] = lambda context: get_media_storage().save(f"{context.video.storage_prefix}/timeline.jpg", bytes(512 * 1024))
    with mount_small_disk(tmp_path / "disk") as disk, local_storage(disk / "media"):
        video = add_arrived_video(b"a film")
        filler = fill_disk(disk)

        ingest(video.pk)
        assert_waits(video, OutageKind.DISK)
        assert not probe_now()
        assert_waits(video, OutageKind.DISK)

        filler.unlink()
        assert_continues(video, enqueued)


def test_a_lost_connection_to_the_database_costs_no_attempt(video: Video, enqueued: mock.Mock) -> None:
    behaviors["first"] = make_failing(OperationalError("the connection is closed"))

    for _ in range(4):
        ingest(video.pk)
        job = get_job(video, "first")
        assert (job.state, job.attempts, job.waits_for) == ("queued", 0, "")
        assert rescue() == 1
    behaviors.clear()
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")


def test_an_outage_that_no_probe_sees_is_a_failure_in_the_end(video: Video, enqueued: mock.Mock, settings: Settings) -> None:
    """The storage works, but refuses this file; a full disk that a probe does not see would be another."""
    behaviors["first"] = make_failing(OSError(28, "No space left on device", "/srv/heimdex/x"))
    settings.DISK_RESERVE_BYTES = 0
    settings.MAX_ATTEMPTS = 1
    ingest(video.pk)
    for wait in range(2):
        assert probe_now()
        assert rescue() == 1
        ingest(video.pk)
        assert get_job(video, "first").waits == wait + 2
    # From now on, it waits although the probe succeeds.
    assert probe_now()
    assert rescue() == 0
    job = get_job(video, "first")
    assert job.waits_until is not None
    assert job.waits_until > timezone.now()

    Job.objects.filter(pk=job.pk).update(waits=MAX_WAITS, waits_until=timezone.now())
    assert rescue() == 1
    ingest(video.pk)

    assert read_state(video) == ("failed", "disk_full")
    assert video.can_retry
    assert "/srv" not in video.error_text


def test_owners_see_what_their_video_waits_for_and_no_address(video: Video, tmp_path: Path) -> None:
    behaviors["second"] = read_from_storage
    with storage_away(tmp_path):
        ingest(video.pk)
        browser, api = Client(), APIClient()
        browser.force_login(video.owner)
        api.force_authenticate(video.owner)
        page = browser.get(f"/videos/{video.pk}/").content.decode()
        library = browser.get("/").content.decode()
        status = api.get(f"/v1/videos/{video.pk}/status")

    for text in (page, library, status.content.decode()):
        assert "Waiting for the storage" in text
        assert WAIT in text
        assert "127.0.0.1" not in text
    answer = status.json()
    assert (answer["waits_for"], answer["wait_label"]) == ("storage", "Waiting for the storage")
    assert answer["tries_at"]
    assert Outage.objects.get().reason.count("127.0.0.1") >= 1, "operators see the address"


def test_a_video_that_does_not_wait_has_no_texts_about_a_wait(video: Video) -> None:
    api = APIClient()
    api.force_authenticate(video.owner)
    answer = api.get(f"/v1/videos/{video.pk}/status").json()
    assert [answer[name] for name in ("waits_for", "wait_label", "wait_text", "tries_at")] == [None] * 4


@pytest.mark.parametrize(
    "address", ["http://10.1.2.3:9000/v1", "https://models.internal/v1", "10.1.2.3:9000", "10.1.2.3", "[fd00::5]:9000", "weed-filer:8333"]
)
def test_owners_never_read_addresses(video: Video, address: str) -> None:
    def reject(context: StageContext) -> None:
        raise IngestError("embedding_failed", f"{address} rejects this text at 10:15 (ratio 16:9).")

    behaviors["first"] = reject
    ingest(video.pk)

    assert read_state(video) == ("failed", "embedding_failed")
    assert video.error_text == "the server rejects this text at 10:15 (ratio 16:9)."
