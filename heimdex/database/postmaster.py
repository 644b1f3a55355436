"""Find and end the real processes behind a data directory; a pid in a file proves nothing."""

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
    """Return the server that runs on this data directory, or None; a stale `postmaster.pid` counts for nothing."""
    # Lines: pid, data directory, start time, port, … (PostgreSQL's miscadmin.h). The port is filled in a moment after the pid.
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        port = int(lines[3]) if len(lines) > 3 else 0
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError, psutil.NoSuchProcess):
        return None
    return Postmaster(process, port) if _works_in(process, data) else None


def end_postmaster(postmaster: Postmaster, data: Path) -> None:
    """Stop the server: politely, then by force, and wait until none of its processes is left."""
    for number, patience in ((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, HARD_STOP_S), (signal.SIGKILL, HARD_STOP_S)):
        try:
            postmaster.process.send_signal(number)
            postmaster.process.wait(patience)
        except psutil.NoSuchProcess:
            break
        except psutil.TimeoutExpired:
            continue
        break
    end_orphans(data)


def end_orphans(data: Path) -> None:
    """Kill what a crashed server left: such processes hold its shared memory, and a new server would refuse to start beside them."""
    if find_postmaster(data):
        return
    orphans = [process for process in psutil.process_iter() if _works_in(process, data)]
    for process in orphans:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(orphans, timeout=HARD_STOP_S)


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Every PostgreSQL process makes the data directory its working directory."""
    try:
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == data
    except psutil.Error:
        return False
