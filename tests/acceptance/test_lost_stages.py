"""Workers that are killed in every stage, and a stage that hangs: the video is retried, or fails with the reason."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from demo.client import Client
from heimdex.queue import UPLOADS
from tests import media
from tests.acceptance.conftest import Workers, build_worker_environment, open_session
from tests.acceptance.hanging import TITLE, list_hanging_stages
from tests.database_sessions import end_other_sessions
from videos.models import Job, Video
from videos.registry import list_stages, override_stages

Until = Callable[[Callable[[], bool], str], None]
Settled = Callable[[str], Video]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

_LOCK = 4712
_TRIGGER = f"""
CREATE OR REPLACE FUNCTION wait_at_the_end_of_a_stage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({_LOCK});
    RETURN NEW;
END $$;
CREATE TRIGGER hold_stage AFTER UPDATE ON videos_job FOR EACH ROW
WHEN (OLD.state = 'running' AND NEW.state = 'done' AND NEW.attempts = 1) EXECUTE FUNCTION wait_at_the_end_of_a_stage()"""
_WAITING = "SELECT pid, client_port FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND NOT granted"

IMPATIENT = {"HEIMDEX_LEASE_S": "3", "HEIMDEX_RETRY_AFTER_S": "1", "DJANGO_SETTINGS_MODULE": "tests.acceptance.crashes.impatient_settings"}
# Longer than any worker stands still, also while it loads a model on a busy machine; `expire_leases` replaces the wait after a kill.
PATIENT = IMPATIENT | {"HEIMDEX_LEASE_S": "300"}


class HeldStages:
    """Stops the first attempt of every stage when its work is done but not recorded."""

    def __init__(self) -> None:
        self._lock = open_session(autocommit=True)
        self._lock.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        self._lock.execute(_TRIGGER)

    def is_held(self) -> bool:
        """Return whether a worker waits at the end of a stage."""
        return bool(self._lock.execute(_WAITING).fetchall())

    def kill(self, cluster_pid: int) -> None:
        """Kill the stopped worker, and end its database session, as the server does when it notices."""
        ((server_pid, port),) = self._lock.execute(_WAITING).fetchall()
        (worker,) = [
            process
            for process in psutil.Process(cluster_pid).children(recursive=True)
            if any(link.laddr.port == port for link in process.net_connections("tcp"))
        ]
        os.kill(worker.pid, signal.SIGKILL)
        # Returns when that process of the server has ended.
        self._lock.execute("SELECT pg_terminate_backend(%s, 10000)", [server_pid])

    def end(self) -> None:
        """Release all stages."""
        self._lock.execute("SELECT pg_advisory_unlock_all()")
        self._lock.execute("DROP TRIGGER IF EXISTS hold_stage ON videos_job")
        self._lock.close()


@contextmanager
def hold_stages() -> Iterator[HeldStages]:
    stages = HeldStages()
    try:
        yield stages
    finally:
        stages.end()


def expire_leases() -> None:
    """Let the lease time of the killed worker pass at once."""
    Job.objects.filter(state=Job.State.RUNNING).update(lease_expires_at=timezone.now())


def test_a_worker_killed_in_any_stage_repeats_only_that_stage(
    clusters: Workers, owner_client: Client, wait_until: Until, wait_for_ingest: Settled, settings: LazySettings
) -> None:
    clusters.serve({UPLOADS: {**build_worker_environment(), **PATIENT}})
    with hold_stages() as stages:
        video_id = owner_client.upload(media.build_video((50, 90), audio="tone"), "video/mp4", "Film", lambda sent: None)
        killed_in: list[str] = []
        for stage in list_stages():
            wait_until(stages.is_held, f"the end of {stage.name}")
            killed_in += Job.objects.filter(state=Job.State.RUNNING).values_list("stage", flat=True)
            stages.kill(clusters.get_pid(UPLOADS))
            expire_leases()
        video = wait_for_ingest(video_id)

    assert killed_in == [stage.name for stage in list_stages()]
    assert (video.state, video.error_text, video.scenes.count()) == ("indexed", "", 2)
    assert set(video.jobs.values_list("state", "attempts", "error", "lease_token")) == {("done", 2, "", None)}


def test_a_lost_machine_costs_only_time(clusters: Workers, owner_client: Client, wait_until: Until, wait_for_ingest: Settled) -> None:
    clusters.serve({UPLOADS: {**build_worker_environment(), **PATIENT}})
    video_id = owner_client.upload(media.build_video((50, 90), audio="tone"), "video/mp4", "Film", lambda sent: None)
    jobs = Job.objects.filter(video_id=video_id)
    wait_until(jobs.filter(stage="scenes", state__in=(Job.State.RUNNING, Job.State.DONE)).exists, "the work")
    clusters.kill(UPLOADS)
    # What the killed workers have sent may still be committed.
    assert not end_other_sessions(connection)
    expire_leases()
    clusters.start(UPLOADS)
    video = wait_for_ingest(video_id)
    assert (video.state, video.error_text, video.scenes.count()) == ("indexed", "", 2)
    assert max(jobs.values_list("attempts", flat=True)) == 2


def test_a_hanging_stage_is_killed_and_the_next_video_is_indexed(clusters: Workers, owner_client: Client, wait_for_ingest: Settled) -> None:
    # A busy machine may take seconds to start the sandbox that reads the good film.
    hanging = {"DJANGO_SETTINGS_MODULE": "tests.acceptance.hanging_settings", "HEIMDEX_STAGE_S": "10", "HEIMDEX_STAGE_RATIO": "0"}
    clusters.serve({UPLOADS: {**build_worker_environment(), **IMPATIENT, **hanging, "HEIMDEX_MAX_ATTEMPTS": "2"}})
    # This process creates the jobs.
    with override_stages(list_hanging_stages()):
        hangs = wait_for_ingest(owner_client.upload(media.build_video((50,)), "video/mp4", TITLE, lambda sent: None))
        good = wait_for_ingest(owner_client.upload(media.build_video((50,)), "video/mp4", "Film", lambda sent: None))

    assert (hangs.state, hangs.error_code) == ("failed", "took_too_long")
    assert hangs.error_text.startswith("The stage “validate” took longer than 10 seconds and was stopped. ")
    assert list(hangs.jobs.values_list("stage", "state", "attempts")) == [
        ("validate", "failed", 2),
        ("probe", "skipped", 0),
        ("index", "skipped", 0),
    ]
    assert (good.state, good.error_text) == ("indexed", "")
