"""Find and stop the processes of a data directory; the pid in a file proves nothing."""

import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

FAST_STOP_S = 30.0
HARD_STOP_S = 10.0


@dataclass(frozen=True)
class Postmaster:
    process: psutil.Process
    port: int


def find_postmaster(data: Path) -> Postmaster | None:
    """Return the server that runs on this data directory, or None; ignore a stale `postmaster.pid`."""
    # Lines: pid, data directory, start time, port, … (PostgreSQL's miscadmin.h). The port is written a moment after the pid.
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        port = int(lines[3]) if len(lines) > 3 else 0
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError, psutil.NoSuchProcess):
        return None
    return Postmaster(process, port) if _is_server_process(process, data) else None


def stop_postmaster(postmaster: Postmaster, data: Path) -> None:
    """Stop the server, first gracefully and then by force, and wait until all its processes have ended."""
    for number, timeout_s in ((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, HARD_STOP_S), (signal.SIGKILL, HARD_STOP_S)):
        try:
            postmaster.process.send_signal(number)
            postmaster.process.wait(timeout_s)
        except psutil.NoSuchProcess:
            break
        except psutil.TimeoutExpired:
            continue
        break
    kill_orphans(data)


def kill_orphans(data: Path) -> None:
    """Kill the processes of a crashed server. They hold its shared memory, which keeps a new server from starting."""
    if find_postmaster(data):
        return
    orphans = [process for process in psutil.process_iter() if _is_server_process(process, data)]
    for process in orphans:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(orphans, timeout=HARD_STOP_S)


def _is_server_process(process: psutil.Process, data: Path) -> bool:
    """Every PostgreSQL process has the data directory as its working directory."""
    try:
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == data
    except psutil.Error:
        return False
