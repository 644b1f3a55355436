"""Real workers and a real web server on the suite's database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from demo.client import Client
from heimdex.database.connection_info import ConnectionInfo
from heimdex.queue import QUEUES
from tests.library import make_user
from videos.models import Video

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "correct horse battery"


def build_worker_environment() -> dict[str, str]:
    """Return the environment of a process that uses the test database and the suite's files, with the same setting of faces as here."""
    database = connection.settings_dict
    address = ConnectionInfo(
        str(database["HOST"]), int(database["PORT"]), str(database["USER"]), str(database["PASSWORD"]), str(database["NAME"])
    )
    return {
        **os.environ,
        "HEIMDEX_DATABASE_URL": address.url,
        "HEIMDEX_FACES": "on" if "faces" in settings.MODEL_BACKENDS else "off",
        "HEIMDEX_LEASE_S": "5",
        "HEIMDEX_HUNG_AFTER_S": "5",
        "HEIMDEX_RETRY_AFTER_S": "2",
    }


def open_session(*, autocommit: bool = False) -> psycopg.Connection:
    """Open a session on the test database that the workers use, beside Django's."""
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        autocommit=autocommit,
    )


@contextmanager
def lock_table(name: str) -> Iterator[None]:
    """Let every statement about a table wait during the block."""
    with open_session() as session:
        session.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")  # type: ignore[call-overload]
        yield
        session.rollback()


class Workers:
    """One cluster per queue, each in its own process group."""

    def __init__(self, logs: Path, root: Path = ROOT) -> None:
        """Keep logs in `logs`, and run the project's code at `root`."""
        self._environments: dict[str, dict[str, str]] = {}
        self._logs = logs
        self._root = root
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.restarts = 0

    def serve(self, environments: dict[str, dict[str, str]]) -> None:
        """Run exactly these queues' clusters, each with its environment; keep those that already run."""
        for queue in list(self._processes):
            if environments.get(queue) != self._environments[queue]:
                self.kill(queue)
        self._environments = environments
        for queue in environments.keys() - self._processes.keys():
            self.start(queue)

    def start(self, queue: str) -> None:
        """Start a queue's cluster."""
        with (self._logs / f"{queue}.log").open("ab") as log:
            self._processes[queue] = subprocess.Popen(
                [sys.executable, "manage.py", "work", queue],
                cwd=self._root,
                env={**self._environments[queue], "Q_CLUSTER_NAME": queue},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, queue: str) -> None:
        """Kill a queue's cluster at once, as a power failure would."""
        process = self._processes.pop(queue)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def get_pid(self, queue: str) -> int:
        """Return the pid of the process that owns a queue's workers."""
        return self._processes[queue].pid

    def wait(self, queue: str) -> None:
        """Wait until a queue's process exits by itself."""
        assert self._processes[queue].wait(timeout=30) == 0

    def restart_dead(self) -> None:
        """Restart clusters that exited, as a supervisor does."""
        for queue, process in list(self._processes.items()):
            if process.poll() is not None:
                self.restarts += 1
                self.kill(queue)
                self.start(queue)

    def log(self, queue: str) -> str:
        """Return the output of the cluster."""
        return (self._logs / f"{queue}.log").read_text()

    def stop(self) -> None:
        """Kill all clusters."""
        for queue in list(self._processes):
            self.kill(queue)


@pytest.fixture
def clusters(transactional_db: None, tmp_path: Path) -> Iterator[Workers]:
    """Return an object that runs clusters of workers; none runs yet. All end before the tables are emptied, so that none writes later."""
    logs = tmp_path / "workers"
    logs.mkdir()
    clusters = Workers(logs)
    yield clusters
    clusters.stop()


@pytest.fixture
def workers(clusters: Workers) -> Workers:
    """Run the workers of a default installation."""
    clusters.serve(dict.fromkeys(QUEUES, build_worker_environment()))
    return clusters


@pytest.fixture
def owner_client(live_server: pytest.FixtureRequest, transactional_db: None) -> Client:
    """Return a client that is logged in as a new owner."""
    make_user("owner@example.org")
    client = Client(live_server.url)  # type: ignore[attr-defined]
    client.log_in("owner@example.org", PASSWORD)
    return client


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool], str], None]:
    """Return a function that waits for something to become true, at most two minutes."""

    def wait(condition: Callable[[], bool], event: str) -> None:
        deadline = time.monotonic() + 150
        while not condition():
            assert time.monotonic() < deadline, f"{event} did not happen"
            time.sleep(0.2)

    return wait


@pytest.fixture
def wait_for_ingest(wait_until: Callable[[Callable[[], bool], str], None]) -> Callable[[str], Video]:
    """Return a function that waits until a video is indexed or failed, and returns it."""

    def wait(video_id: str) -> Video:
        videos = Video.objects.filter(pk=video_id)
        wait_until(lambda: videos.filter(state__in=(Video.State.INDEXED, Video.State.FAILED)).exists(), "the end of the ingest")
        return videos.get()

    return wait
