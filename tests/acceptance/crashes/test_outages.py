"""Outages of the storage, a model server and the disk: the work waits with its reason, loses no attempt, and continues by itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.outages.models import Outage
from heimdex.queue import UPLOADS
from heimdex.storage.s3 import S3MediaStorage
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests import media
from tests.acceptance.conftest import Workers, build_worker_environment
from tests.acceptance.crashes.conftest import QUEUES
from tests.acceptance.crashes.library import INPUTS, SECOND, make_library
from tests.acceptance.crashes.models import CountingServer
from tests.acceptance.crashes.outcome import assert_complete, have_all_ended
from tests.acceptance.hanging import list_hanging_stages
from tests.gate import Gate, open_gate
from tests.heimdex.storage.seaweed import S3Options, run_seaweed
from tests.library import make_user
from tests.outages import fill_disk, mount_small_disk
from videos.ingest.schedule import start_ingest
from videos.models import Job, Video
from videos.registry import override_stages

Until = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

UPLOADS_WAITING = 6
IMPATIENT = {
    "DJANGO_SETTINGS_MODULE": "tests.acceptance.hanging_settings",
    "HEIMDEX_LEASE_S": "5",
    "HEIMDEX_RETRY_AFTER_S": "1",
    "HEIMDEX_UPLOAD_WORKERS": "2",
    "HEIMDEX_DISK_RESERVE_BYTES": "0",
}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    with run_seaweed(tmp_path_factory.mktemp("outages") / "weed") as options:
        yield options


@pytest.fixture
def gate(s3: S3Options) -> Iterator[Gate]:
    """Return the way to the S3 server that the workers use."""
    port = urlsplit(s3["endpoint_url"]).port
    assert port
    with open_gate(port) as opened:
        yield opened


def serve_uploads(clusters: Workers, s3: S3Options, gate: Gate, home: Path) -> None:
    clusters.serve(
        {
            UPLOADS: {
                **build_worker_environment(),
                **IMPATIENT,
                "HEIMDEX_HOME": str(home),
                # Otherwise their own home would have another one, and they would refuse this process's tasks.
                "HEIMDEX_SECRET_KEY": django_settings.SECRET_KEY,
                "HEIMDEX_STORAGE": "s3",
                "HEIMDEX_S3_BUCKET": s3["bucket"],
                "HEIMDEX_S3_ENDPOINT_URL": f"http://127.0.0.1:{gate.port}",
                "HEIMDEX_S3_ACCESS_KEY": s3["access_key"],
                "HEIMDEX_S3_SECRET_KEY": s3["secret_key"],
            }
        }
    )


def add_uploads(s3: S3Options, count: int) -> User:
    """Add completed uploads of a short film, whose ingest needs no model."""
    owner, film = make_user(), media.build_video((50,)).read_bytes()
    soon = timezone.now() + timedelta(hours=1)
    fields = {"filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": len(film), "upload_expires_at": soon}
    storage = S3MediaStorage(**s3)
    with override_stages(list_hanging_stages()):
        for place in range(count):
            video = Video.objects.create(owner=owner, title=f"Film {place}", state=Video.State.VALIDATING, **fields)
            storage.save(video.original_key, film, "video/mp4")
            start_ingest(video)
    return owner


def are_all_waiting(kind: str) -> bool:
    # Two failed probes: the outage lasts longer than any attempts with delays would.
    is_confirmed = Outage.objects.filter(kind=kind, failed_probes__gte=2).exists()
    return is_confirmed and Job.objects.filter(waits_for=kind).count() == UPLOADS_WAITING


def assert_all_indexed() -> None:
    assert set(Video.objects.values_list("state", "error_text")) == {("indexed", "")}
    assert set(Job.objects.values_list("state", "attempts", "waits_for", "lease_token")) == {("done", 1, "", None)}
    assert not Outage.objects.exists()


def are_all_indexed(clusters: Workers) -> bool:
    clusters.restart_dead()
    return not Video.objects.exclude(state__in=(Video.State.INDEXED, Video.State.FAILED)).exists()


@pytest.mark.parametrize(("take_away", "bring_back"), [(Gate.close, Gate.open), (Gate.freeze, Gate.thaw)], ids=["away", "hanging"])
def test_uploads_survive_an_outage_of_the_storage(
    clusters: Workers,
    s3: S3Options,
    gate: Gate,
    tmp_path: Path,
    wait_until: Until,
    take_away: Callable[[Gate], None],
    bring_back: Callable[[Gate], None],
) -> None:
    add_uploads(s3, UPLOADS_WAITING)
    take_away(gate)
    serve_uploads(clusters, s3, gate, tmp_path / "home")
    wait_until(lambda: are_all_waiting("storage"), "the wait of all uploads")
    assert not Video.objects.filter(state=Video.State.FAILED).exists()

    bring_back(gate)
    wait_until(lambda: are_all_indexed(clusters), "the end of all ingests")

    assert_all_indexed()
    assert not clusters.restarts


def test_uploads_survive_a_full_scratch_disk(clusters: Workers, s3: S3Options, gate: Gate, tmp_path: Path, wait_until: Until) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(mount_small_disk(tmp_path / "disk"))
        stack.callback(clusters.stop)
        add_uploads(s3, UPLOADS_WAITING)
        filler = fill_disk(disk)
        serve_uploads(clusters, s3, gate, disk / "home")
        wait_until(lambda: are_all_waiting("disk"), "the wait of all uploads")
        assert not Video.objects.filter(state=Video.State.FAILED).exists()

        filler.unlink()
        wait_until(lambda: are_all_indexed(clusters), "the end of all ingests")

        assert_all_indexed()


@pytest.mark.parametrize("redis_url", QUEUES, indirect=True)
def test_runs_survive_an_outage_of_the_model_server(
    redis_url: str, second_model_workers: Workers, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    owners = {word: make_library(settings, embeddings, word) for word in ("before", "within")}
    embeddings.hold("within")
    scopes = {word: Scope("owner", owner_id=owner.pk) for word, owner in owners.items()}
    runs = {word: start_run(scope, force=False, entry_point="command", requested_by=None) for word, scope in scopes.items()}
    wait_until(embeddings.held.is_set, "the second call of the run")
    embeddings.is_away = True
    embeddings.release()
    waiting = ReprocessRun.objects.filter(pk=runs["within"].pk, state=ReprocessRun.State.PAUSED, waits_for="model")
    wait_until(lambda: waiting.exists() and Outage.objects.filter(failed_probes__gte=2).exists(), "the pause of the run")
    assert not runs["within"].failures.exists()
    assert "continues by itself" in waiting.get().error

    embeddings.is_away = False
    wait_until(lambda: have_all_ended(second_model_workers), "the end of all runs")

    for word, owner in owners.items():
        assert_complete(runs[word], owner, word)
        answered = embeddings.count_documents(SECOND, word)
        assert (len(answered), sum(answered.values())) == (INPUTS, INPUTS), word
    assert not Outage.objects.exists()
