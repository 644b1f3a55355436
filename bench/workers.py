"""Real workers beside the benchmarks' own process, as `manage.py up` keeps them, and a run whose embedder is a server of ours."""

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

from bench.installation import models
from bench.openai_protocol import server

ROOT = Path(__file__).resolve().parent.parent
MODEL = "bench-embedder"
DIMENSIONS = 384
PATIENCE_S = 180.0


@contextmanager
def slow_embedder(latency_s: float, batch_size: int, concurrency: int) -> Iterator[str]:
    """Let this process and the workers that are started in the block embed texts through a server; yields its address."""
    with server(latency_s, DIMENSIONS) as url:
        options = {
            "model": MODEL,
            "dimensions": DIMENSIONS,
            "base_url": url,
            "batch_size": batch_size,
            "concurrency": concurrency,
        }
        os.environ["HEIMDEX_MODELS"] = json.dumps({"text": {"backend": "openai", **options}})
        try:
            with models(text={"BACKEND": "heimdex.embedders.openai.OpenAIEmbedder", "OPTIONS": options}):
                yield url
        finally:
            del os.environ["HEIMDEX_MODELS"]


class Workers:
    """A queue's workers in a process group of their own."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._ending = False
        self._start()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def kill(self) -> None:
        """End all of them at once, as a power cut would; they are started anew."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """End them for good."""
        self._ending = True
        self.kill()
        self._supervisor.join()

    def _start(self) -> None:
        command = [sys.executable, "manage.py", "work", self._queue]
        environment = {**os.environ, "Q_CLUSTER_NAME": self._queue}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)

    def _supervise(self) -> None:
        while self._process.wait() is not None and not self._ending:
            self._start()


@contextmanager
def workers(*queues: str) -> Iterator[dict[str, Workers]]:
    """Run the workers of some queues for a block."""
    running = {queue: Workers(queue) for queue in queues}
    try:
        yield running
    finally:
        for one in running.values():
            one.end()


def wait_until(true: Callable[[], bool], what: str, every_s: float = 0.02) -> float:
    """Return the seconds until something is true; RuntimeError when it takes too long."""
    began = perf_counter()
    while not true():
        if perf_counter() - began > PATIENCE_S:
            raise RuntimeError(f"Waited {PATIENCE_S:.0f} s in vain: {what}")
        sleep(every_s)
    return perf_counter() - began
