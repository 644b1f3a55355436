"""A process that does not work fails its health check, whatever state it is in."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heimdex.services.heartbeat import Heartbeat


def check(home: Path) -> "subprocess.CompletedProcess[str]":
    """Run the health check of the queue uploads as a container does."""
    command = [sys.executable, "-m", "heimdex.services.heartbeat", "uploads"]
    return subprocess.run(command, env={**os.environ, "HEIMDEX_HOME": str(home)}, capture_output=True, text=True, check=False)


def test_a_process_without_a_heartbeat_has_not_started(tmp_path: Path) -> None:
    assert "has not started" in check(tmp_path).stderr
    assert check(tmp_path).returncode == 1


def test_a_process_passes_its_health_check_until_it_is_silent(tmp_path: Path) -> None:
    heartbeat = Heartbeat.of(tmp_path, "uploads")
    heartbeat.beat()
    assert (check(tmp_path).returncode, heartbeat.find_problem()) == (0, "")
    os.utime(heartbeat.path, (time.time() - 119,) * 2)
    assert heartbeat.find_problem() == ""
    os.utime(heartbeat.path, (time.time() - 130,) * 2)
    assert heartbeat.find_problem() == "The process has done nothing for 130 s: restart it."
    assert check(tmp_path).returncode == 1
    heartbeat.beat()
    assert heartbeat.find_problem() == ""


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_a_frozen_process_of_a_queue_stops_its_heartbeat(tmp_path: Path) -> None:
    heartbeat = Heartbeat.of(tmp_path, "uploads")
    log = (tmp_path / "work.log").open("wb")
    command = [sys.executable, "manage.py", "work", "uploads"]
    with log, subprocess.Popen(command, env={**os.environ, "HEIMDEX_HOME": str(tmp_path)}, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + 90
            while heartbeat.measure_silence_s() is None:
                assert process.poll() is None, (tmp_path / "work.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(signal.SIGSTOP)
            stopped = heartbeat.path.stat().st_mtime
            time.sleep(3)
            assert heartbeat.path.stat().st_mtime <= stopped + 1
            process.send_signal(signal.SIGCONT)
            while heartbeat.path.stat().st_mtime <= stopped + 1:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            process.terminate()
            process.wait(60)
