"""Run the product's web server beside the benchmark process."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.workers import wait_until

CORES = 2


@contextmanager
def run_web_server() -> Iterator[int]:
    """Run the web server as `manage.py up` does, on the connected database, and yield its port once it is ready."""
    from heimdex.database.server import find_free_port
    from heimdex.environment import Environment
    from heimdex.services.definitions import build_http_probe, define_services

    home = Path(os.environ["HEIMDEX_HOME"])
    (home / "run").mkdir(exist_ok=True)
    port = find_free_port()
    service = define_services(Environment(home=home), port)[0]
    is_ready = build_http_probe(port, "/health/ready", "127.0.0.1")
    log = home / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(service.command, cwd=service.working_directory, env=service.environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or is_ready(psutil.Process(process.pid)), "the web server does not get ready", 0.2)
        if process.poll() is not None:
            raise RuntimeError(f"The web server ended: {log.read_text(errors='replace')[-2000:]}")
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def use_two_cores() -> Iterator[None]:
    """Keep this process, and those that it starts in the block, on two cores, where the system can do so."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
