"""A running web service on the tests' database."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from heimdex.environment import Environment
from heimdex.services.definitions import define_services
from tests.heimdex.storage.seaweed import find_free_ports


@dataclass(frozen=True)
class Web:
    """A running web service; `log` is its output so far."""

    process: "subprocess.Popen[bytes]"
    url: str
    port: int
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def is_healthy(self) -> bool:
        return self._is_ok("/healthz")

    def is_ready(self) -> bool:
        return self._is_ok("/health/ready")

    def _is_ok(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return bool(json.load(answer)["status"] == "ok")
        except OSError:
            return False


@contextmanager
def run_web_service(home: Path, **variables: str) -> Iterator[Web]:
    """Run the web service on the tests' database."""
    (home / "run").mkdir()
    port = find_free_ports(1)[0]
    service = define_services(Environment(home=home), port)[0]
    environment = {**service.environment, **variables}
    with (home / "web.log").open("wb") as log:
        process = subprocess.Popen(service.command, cwd=service.working_directory, env=environment, stdout=log, stderr=log)
    try:
        yield Web(process, f"http://127.0.0.1:{port}", port, home / "web.log")
    finally:
        process.kill()
        process.wait()
