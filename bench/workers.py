"""Run real workers beside the benchmark process, as `manage.py up` does, and embed texts through a slow server."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

import psutil

from bench.installation import override_models
from bench.openai_protocol import run_server
from heimdex.services.definitions import has_grandchildren

ROOT = Path(__file__).resolve().parent.parent
MODEL = "bench-embedder"
DIMENSIONS = 384
TIMEOUT_S = 180.0


@contextmanager
def use_slow_embedder(latency_s: float, batch_size: int, concurrency: int) -> Iterator[str]:
    """Embed texts through a slow server, in this process and in the workers that start in the block. Yield the server's URL."""
    with run_server(latency_s, DIMENSIONS) as url:
        options = {
            "model": MODEL,
            "dimensions": DIMENSIONS,
            "base_url": url,
            "batch_size": batch_size,
            "concurrency": concurrency,
        }
        os.environ["HEIMDEX_MODELS"] = json.dumps({"text": {"backend": "openai", **options}})
        try:
            with override_models(text={"BACKEND": "heimdex.embedders.openai.OpenAIEmbedder", "OPTIONS": options}):
                yield url
        finally:
            del os.environ["HEIMDEX_MODELS"]


class Workers:
    """The workers of a queue in their own process group, restarted when they end."""

    def __init__(self, queue: str, variables: dict[str, str]) -> None:
        self._queue = queue
        self._environment = {**os.environ, **variables, "Q_CLUSTER_NAME": queue}
        self._stopping = False
        self._start()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def have_started(self) -> bool:
        """Return whether the workers run."""
        return has_grandchildren(psutil.Process(self._process.pid))

    def kill(self) -> None:
        """Kill all workers at once, like a power cut. They are restarted."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kill all workers without a restart."""
        self._stopping = True
        self.kill()
        self._supervisor.join()

    def _start(self) -> None:
        command = [sys.executable, "manage.py", "work", self._queue]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, start_new_session=True)

    def _supervise(self) -> None:
        while self._process.wait() is not None and not self._stopping:
            self._start()


@contextmanager
def run_workers(*queues: str, reprocess_workers: int = 1) -> Iterator[dict[str, Workers]]:
    """Run the workers of some queues for a block."""
    variables = {"HEIMDEX_REPROCESS_WORKERS": str(reprocess_workers)}
    running = {queue: Workers(queue, variables) for queue in queues}
    try:
        yield running
    finally:
        for queue_workers in running.values():
            queue_workers.stop()


def wait_until(condition: Callable[[], bool], what: str, every_s: float = 0.02) -> float:
    """Wait until the condition is true and return the seconds. Raise RuntimeError after three minutes."""
    began = perf_counter()
    while not condition():
        if perf_counter() - began > TIMEOUT_S:
            raise RuntimeError(f"Timed out after {TIMEOUT_S:.0f} s: {what}")
        sleep(every_s)
    return perf_counter() - began
