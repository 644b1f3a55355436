"""The supervisor's state in `run/services.json`, and its lock, so that one supervisor runs per home.

The lock is on the directory `run` itself, so no lock file remains.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from heimdex.database.state_file import read_private_json, write_private_json
from heimdex.services import ServiceError
from heimdex.services.processes import ProcessIdentity

# `up` and `down` test the lock by taking it for microseconds. A longer wait would be wrong: a redundant supervisor would take over when
# the first one is stopped.
LOCK_TIMEOUT_S = 0.3


class Phase(StrEnum):
    DATABASE = "starting PostgreSQL"
    MIGRATING = "migrating the database"
    STARTING = "starting the services"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True)
class ServiceState:
    """One service: `process` is None while it waits for its restart; `exit` describes its last exit."""

    name: str
    process: ProcessIdentity | None = None
    restarts: int = 0
    exit: str = ""


@dataclass(frozen=True)
class SupervisorState:
    supervisor: ProcessIdentity
    phase: Phase
    url: str = ""
    error: str = ""
    services: tuple[ServiceState, ...] = field(default=())


def get_state_path(home: Path) -> Path:
    return home / "run" / "services.json"


def write_state(home: Path, state: SupervisorState) -> None:
    write_private_json(get_state_path(home), asdict(state))


def read_state(home: Path) -> SupervisorState | None:
    """Return the last state, or None when there is no valid one; its supervisor may be dead."""
    content = read_private_json(get_state_path(home))
    if content is None:
        return None
    try:
        return SupervisorState(
            supervisor=ProcessIdentity(**content["supervisor"]),
            phase=Phase(content["phase"]),
            url=content["url"],
            error=content["error"],
            services=tuple(_parse_service(service) for service in content["services"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _parse_service(content: dict[str, Any]) -> ServiceState:
    process = content["process"]
    return ServiceState(**{**content, "process": ProcessIdentity(**process) if process else None})


@contextmanager
def hold_supervisor_lock(home: Path, timeout_s: float) -> Iterator[bool]:
    """Hold the lock during the block; yield False when another process holds it longer than `timeout_s`."""
    path = home / "run"
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ServiceError(f"Cannot use {path} ({error.strerror}). Set HEIMDEX_HOME to a directory that you can write to.") from error
    try:
        deadline = time.monotonic() + timeout_s
        while not (is_acquired := _try_lock(descriptor, fcntl.LOCK_EX)) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield is_acquired
    finally:
        os.close(descriptor)


def is_locked(home: Path) -> bool:
    """Return whether a supervisor or a `down` is running."""
    try:
        descriptor = os.open(home / "run", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
