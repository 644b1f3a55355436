"""The many-machine form on one machine: every process has a home of its own, and they share PostgreSQL, Redis and S3 alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from heimdex.database.server import EmbeddedServer
from heimdex.services.definitions import build_http_probe, has_grandchildren
from tests.heimdex.storage.seaweed import free_ports, seaweed
from tests.heimdex.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]


class Fleet:
    """Processes by name, and the services that they share."""

    def __init__(self, home: Path, variables: dict[str, str], valkey: Valkey) -> None:
        self._home = home
        self._variables = variables
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.valkey = valkey
        self.port = free_ports(1)[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *command: str) -> None:
        """Start a process as on a machine of its own."""
        with (self._home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self._environment(name), stdout=log, stderr=log, start_new_session=True
            )

    def start_worker(self, name: str, queue: str) -> None:
        """Start a keeper of a queue's workers, and wait until it has them."""
        self.start(name, "manage.py", "work", queue)
        keeper = psutil.Process(self._processes[name].pid)
        self.until(lambda: has_grandchildren(keeper), f"the start of {name}")

    def kill(self, name: str) -> None:
        """Lose a machine: the process and all that it started."""
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        """Lose all machines."""
        for name in list(self._processes):
            self.kill(name)

    def python(self, *arguments: str) -> str:
        """Run a program to its end on a machine of its own, and return what it prints."""
        ended = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=self._environment("operator"), capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def manage(self, *arguments: str) -> Any:
        """Run a command with --json, and return its answer."""
        return json.loads(self.python("manage.py", *arguments, "--json"))

    def log(self, name: str) -> str:
        """Return what a process has printed."""
        return (self._home / f"{name}.log").read_text()

    def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait until something becomes true, at most four minutes."""
        deadline = time.monotonic() + 240
        while not happened():
            assert time.monotonic() < deadline, f"{what} did not happen:\n" + "\n".join(self.log(name)[-2000:] for name in self._processes)
            time.sleep(0.2)

    def _environment(self, name: str) -> dict[str, str]:
        return {**self._variables, "HEIMDEX_HOME": str(self._home / name)}


@contextmanager
def fleet(home: Path) -> Iterator[Fleet]:
    """Run a web server, a worker for uploads and two for runs over a new database, queue and bucket."""
    server = EmbeddedServer(home / "database", durable=False)
    valkey = Valkey(home / "valkey", password="of the queue")
    with seaweed(home / "weed") as s3:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")} | {
            "HEIMDEX_DATABASE_URL": server.start().url,
            "HEIMDEX_REDIS_URL": valkey.url,
            "HEIMDEX_SECRET_KEY": "shared by all machines, or none could read what another signed",
            "HEIMDEX_STORAGE": "s3",
            "HEIMDEX_S3_BUCKET": s3["bucket"],
            "HEIMDEX_S3_ENDPOINT_URL": s3["endpoint_url"],
            "HEIMDEX_S3_ACCESS_KEY": s3["access_key"],
            "HEIMDEX_S3_SECRET_KEY": s3["secret_key"],
            "HEIMDEX_LEASE_S": "5",
            "HEIMDEX_RETRY_AFTER_S": "1",
            "DJANGO_SETTINGS_MODULE": "tests.acceptance.crashes.impatient_settings",
            # Machines of one core each, for they share this one's.
            "OMP_NUM_THREADS": "1",
        }
        running = Fleet(home, variables, valkey)
        try:
            valkey.start()
            running.python("manage.py", "migrate", "--noinput")
            web = ("-m", "gunicorn", "heimdex.wsgi", "--bind", f"127.0.0.1:{running.port}", "--worker-class", "gthread", "--threads", "4")
            running.start("web", *web, "--no-control-socket")
            for name, queue in (("uploads", "uploads"), ("runs-1", "reprocess"), ("runs-2", "reprocess")):
                running.start_worker(name, queue)
            is_ready = build_http_probe(running.port, "/healthz", "127.0.0.1")
            running.until(lambda: is_ready(psutil.Process()), "the start of the web server")
            yield running
        finally:
            running.kill_all()
            valkey.stop()
            server.stop()
