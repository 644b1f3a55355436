"""Simulate many machines on one: every process has its own home, and they share only PostgreSQL, Redis and S3."""

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
from tests.heimdex.storage.seaweed import find_free_ports, run_seaweed
from tests.heimdex.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]


class Fleet:
    """Processes by name, and the services that they share."""

    def __init__(self, home: Path, variables: dict[str, str], valkey: Valkey) -> None:
        self._home = home
        self._variables = variables
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.valkey = valkey
        self.port = find_free_ports(1)[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *command: str) -> None:
        """Start a process as if on its own machine."""
        with (self._home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self._build_environment(name), stdout=log, stderr=log, start_new_session=True
            )

    def start_worker(self, name: str, queue: str) -> None:
        """Start a queue's cluster, and wait until its workers run."""
        self.start(name, "manage.py", "work", queue)
        cluster = psutil.Process(self._processes[name].pid)
        self.wait_until(lambda: has_grandchildren(cluster), f"the start of {name}")

    def kill(self, name: str) -> None:
        """Kill a machine: the process and everything that it started."""
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        """Kill all machines."""
        for name in list(self._processes):
            self.kill(name)

    def run_python(self, *arguments: str) -> str:
        """Run a Python program on its own machine, and return its output."""
        result = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self._build_environment("operator"), capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def run_command(self, *arguments: str) -> Any:
        """Run a management command with --json, and return its parsed output."""
        return json.loads(self.run_python("manage.py", *arguments, "--json"))

    def log(self, name: str) -> str:
        """Return the output of a process."""
        return (self._home / f"{name}.log").read_text()

    def wait_until(self, condition: Callable[[], bool], event: str) -> None:
        """Wait until something becomes true, at most four minutes."""
        deadline = time.monotonic() + 240
        while not condition():
            assert time.monotonic() < deadline, f"{event} did not happen:\n" + "\n".join(self.log(name)[-2000:] for name in self._processes)
            time.sleep(0.2)

    def _build_environment(self, name: str) -> dict[str, str]:
        return {**self._variables, "HEIMDEX_HOME": str(self._home / name)}


@contextmanager
def run_fleet(home: Path) -> Iterator[Fleet]:
    """Run a web server, an upload worker and two run workers over a new database, queue and bucket."""
    server = EmbeddedServer(home / "database", durable=False)
    valkey = Valkey(home / "valkey", password="of the queue")
    with run_seaweed(home / "weed") as s3:
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
            # One core per machine, because they share the cores of this one.
            "OMP_NUM_THREADS": "1",
        }
        machines = Fleet(home, variables, valkey)
        try:
            valkey.start()
            machines.run_python("manage.py", "migrate", "--noinput")
            configuration = ("--config", "python:heimdex.services.gunicorn_hooks")
            machines.start("web", "-m", "gunicorn", "heimdex.asgi", "--bind", f"127.0.0.1:{machines.port}", *configuration)
            for name, queue in (("uploads", "uploads"), ("runs-1", "reprocess"), ("runs-2", "reprocess")):
                machines.start_worker(name, queue)
            is_ready = build_http_probe(machines.port, "/healthz", "127.0.0.1")
            machines.wait_until(lambda: is_ready(psutil.Process()), "the start of the web server")
            yield machines
        finally:
            machines.kill_all()
            valkey.stop()
            server.stop()
