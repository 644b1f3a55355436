"""The start of the web service, and its work before the first request."""

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from heimdex.environment import Environment
from heimdex.services.definitions import define_services
from tests.heimdex.storage.seaweed import find_free_ports

pytestmark = [pytest.mark.usefixtures("django_db_setup", "packaged_models"), pytest.mark.integration]


@dataclass(frozen=True)
class Web:
    """A running web service; `log` is its output so far."""

    process: "subprocess.Popen[bytes]"
    url: str
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
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
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
        yield Web(process, f"http://127.0.0.1:{port}", home / "web.log")
    finally:
        process.kill()
        process.wait()


def test_the_models_load_once_before_the_first_search_while_it_serves(tmp_path: Path) -> None:
    with run_web_service(tmp_path) as web:
        web.wait_until(web.is_healthy)
        assert "Search model loaded" not in web.log
        web.wait_until(lambda: web.log.count("Search model loaded") == 2)
        assert "all-MiniLM-L6-v2" in web.log
        assert web.is_healthy()


def test_it_stops_while_it_loads_models(tmp_path: Path) -> None:
    with run_web_service(tmp_path) as web:
        web.wait_until(web.is_healthy)
        web.process.send_signal(signal.SIGTERM)

        assert web.process.wait(10) == 0
        assert "Search model loaded" not in web.log
        assert "Traceback" not in web.log


def test_a_model_that_cannot_be_loaded_is_logged_and_the_service_continues(tmp_path: Path) -> None:
    with run_web_service(tmp_path, HEIMDEX_MODELS='{"text": {"model": "/nowhere"}}') as web:
        web.wait_until(lambda: "Search model loaded" in web.log)
        assert 'There is no directory /nowhere: correct "model" in HEIMDEX_MODELS.' in web.log
        assert "Traceback" not in web.log
        assert web.is_healthy()
