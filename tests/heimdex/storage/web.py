"""Real HTTP for the storage tests: the service under gunicorn, and a small client."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

CHECKOUT = Path(__file__).resolve().parents[3]
# Without the service's configuration, whose hook loads models.
WORKER = "heimdex.web.worker.Worker"


@dataclass(frozen=True)
class WebServer:
    """A running gunicorn whose HEIMDEX_HOME is `home`."""

    url: str
    port: int
    home: Path
    pid: int


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


@contextmanager
def run_web_server(home: Path, **variables: str) -> Iterator[WebServer]:
    """Serve the project with this process's signing key; file URLs need no database."""
    with socket.create_server(("127.0.0.1", 0)) as listener, (home / "gunicorn.log").open("wb") as log:
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        fixed = {"HEIMDEX_HOME": str(home), "HEIMDEX_SECRET_KEY": settings.SECRET_KEY, "HEIMDEX_STORAGE": "local"}
        environment = {**os.environ, **fixed, **variables}
        command = [sys.executable, "-m", "gunicorn", "heimdex.asgi", "--bind", f"fd://{listener.fileno()}", "--worker-class", WORKER]
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, pass_fds=[listener.fileno()], stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(url, process, home / "gunicorn.log")
            yield WebServer(url, port, home, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            # The listener accepts connections before the server runs, and after it has failed to start.
            urllib.request.urlopen(f"{url}/health/live", timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"gunicorn did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)
        else:
            return


def request(method: str, url: str, body: bytes | BinaryIO | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Send one request as a client would, and return the response whatever its status."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())
