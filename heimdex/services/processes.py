"""Know processes for sure, and end them with all that they started."""

import ctypes
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

# In the environment of everything that a supervisor starts. HEIMDEX_HOME itself would also match a person's shell.
MARKER = "HEIMDEX_SUPERVISED_HOME"
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True)
class Identity:
    """A pid alone may name a stranger by now; with the time of its creation (seconds since the epoch) it cannot."""

    pid: int
    create_time: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process if it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < 0.1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if same else None


def marked_processes(home: Path) -> list[psutil.Process]:
    """Return every process that a supervisor of this home started, however it was orphaned since."""
    return [process for process in psutil.process_iter() if _marker(process) == str(home)]


def kill_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)


def end_orphans(home: Path) -> bool:
    """Kill all that a supervisor of this home left when it was killed: it holds ports and takes tasks. Return whether there was any.

    The caller holds the lock, so that no living supervisor is meant.
    """
    orphans = marked_processes(home)
    kill_all(orphans)
    return bool(orphans)


def kill_group(leader_pid: int) -> None:
    """Kill all members of the process group; call it while the leader is not yet reaped, or the number may be another's."""
    try:
        os.killpg(leader_pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def adopt_orphans() -> None:
    """Become the parent of descendants that lose theirs, so that none stays as a zombie where process 1 reaps nobody (Linux)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_adopted(known: set[int]) -> None:
    """Collect ended children other than the `known` pids, whose exit codes their owners still ask for."""
    for process in psutil.Process().children():
        try:
            if process.pid not in known and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)
        except (psutil.NoSuchProcess, ChildProcessError):
            continue


def reap_all() -> None:
    """Collect all children; call it when they are told to end, since one that was killed a moment ago may still be on its way."""
    psutil.wait_procs(psutil.Process().children(), timeout=5)


def tree_memory(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its descendants; shared pages count once for each."""
    total = 0
    for member in (process, *_descendants(process)):
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _marker(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARKER)
    except (psutil.Error, OSError):
        return None
