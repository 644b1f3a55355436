"""Identify processes reliably, and end them together with their descendants."""

import ctypes
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

from heimdex.environment import SUPERVISED_HOME

# Set in the environment of everything that a supervisor starts. HEIMDEX_HOME would also match a user's shell.
MARKER = SUPERVISED_HOME
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True)
class ProcessIdentity:
    """A pid with its creation time (seconds since the epoch), because the pid alone may be reused."""

    pid: int
    create_time: float

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process, or None when it has ended."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.create_time) < 0.1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if is_same else None


def list_marked_processes(home: Path) -> list[psutil.Process]:
    """Return every process that a supervisor of this home started, including orphans."""
    return [process for process in psutil.process_iter() if _read_marker(process) == str(home)]


def kill_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)


def kill_orphans(home: Path) -> bool:
    """Kill the processes that a killed supervisor of this home left, which hold ports and take tasks; return whether there were any.

    The caller holds the lock, so no living supervisor's processes are killed.
    """
    orphans = list_marked_processes(home)
    kill_all(orphans)
    return bool(orphans)


def kill_group(leader_pid: int) -> None:
    """Kill all members of the process group; call it before the leader is reaped, because its number can be reused."""
    try:
        os.killpg(leader_pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants (Linux), so that none stays a zombie where process 1 does not reap."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_adopted(known: set[int]) -> None:
    """Reap ended children except the `known` pids, whose exit codes their owners still read."""
    for process in psutil.Process().children():
        try:
            if process.pid not in known and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)
        except (psutil.NoSuchProcess, ChildProcessError):
            continue


def reap_all() -> None:
    """Reap all children after they were told to end; wait up to 5 s for those that still exit."""
    psutil.wait_procs(psutil.Process().children(), timeout=5)


def measure_tree_memory(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its descendants; shared pages count once per process."""
    total = 0
    for member in (process, *_list_descendants(process)):
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total


def _list_descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _read_marker(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARKER)
    except (psutil.Error, OSError):
        return None
