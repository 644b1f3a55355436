"""Kill a worker, a whole cluster or PostgreSQL once the workers are stopped."""

import os
import signal
from pathlib import Path

from django.db import connection

from heimdex.database.server import EmbeddedServer
from tests.acceptance.conftest import Workers


def kill_workers(workers: Workers, queue: str, stopped: set[int]) -> None:
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)


def kill_cluster(workers: Workers, queue: str, stopped: set[int]) -> None:
    os.killpg(workers.get_pid(queue), signal.SIGKILL)


def kill_postgres(workers: Workers, queue: str, stopped: set[int]) -> None:
    server = EmbeddedServer(Path(os.environ["HEIMDEX_HOME"]), durable=False)
    pid = server.find_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    # The supervisor does this, which its own test proves.
    server.start()
    connection.close()


def count_further_crashes(victim: str, restarts: int) -> int:
    """Return how many crashes followed the test's own, given how often a cluster that had exited was restarted.

    A cluster restarts itself when a worker was killed while it held the queue's lock, and that ends what its other workers do.
    """
    return max(0, restarts - 1) if victim == "cluster" else restarts


VICTIMS = {"worker": kill_workers, "cluster": kill_cluster, "postgres": kill_postgres}
