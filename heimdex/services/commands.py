"""Start and stop the services of one home, from a short-lived process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from heimdex.database import EmbeddedServerError
from heimdex.database.server import EmbeddedServer
from heimdex.environment import CHECKOUT
from heimdex.services import ServiceError
from heimdex.services.log_files import get_log_path, open_log, read_last_lines
from heimdex.services.processes import kill_all, kill_orphans, list_marked_processes
from heimdex.services.state import Phase, SupervisorState, get_state_path, hold_supervisor_lock, is_locked, read_state
from heimdex.services.supervisor import ALREADY_RUNNING

SUPERVISOR = (sys.executable, "-m", "heimdex.services.run_supervisor")
# The supervisor gives its services 20 s and the database 30 s to stop.
STOP_TIMEOUT_S = 75.0
POLL_S = 0.1


def read_running_state(home: Path) -> SupervisorState | None:
    """Return the state of this home's living supervisor, or None when there is none."""
    state = read_state(home)
    return state if state and state.supervisor.find() else None


def start_services(home: Path, on_phase: Callable[[Phase], None], command: Sequence[str] = SUPERVISOR) -> tuple[SupervisorState, bool]:
    """Start the services unless they run; return their state and whether this call started them.

    Raise ServiceError when they do not start. They are then stopped again, as on KeyboardInterrupt if this call started them.
    """
    started: subprocess.Popen[bytes] | None = None
    try:
        while True:
            state = read_running_state(home)
            if state and state.phase is Phase.RUNNING:
                return state, started is not None and state.supervisor.pid == started.pid
            if state:
                on_phase(state.phase)
            code = started.poll() if started else None
            if code == ALREADY_RUNNING:
                started = None
            elif started and code is not None:
                raise _build_start_error(home, started.pid, code)
            if started is None and not is_locked(home):
                started = _spawn(home, command)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        if started and started.poll() is None:
            started.send_signal(signal.SIGTERM)
            started.wait()
        raise


def stop_services(home: Path) -> bool:
    """Stop everything of this home, including what a killed supervisor left; return whether anything ran.

    Raise ServiceError when something cannot be stopped.
    """
    if not (home / "run").is_dir():
        return False
    was_running = _stop_supervisor(home)
    with hold_supervisor_lock(home, timeout_s=5.0) as is_acquired:
        if not is_acquired:
            raise ServiceError("Another `up` or `down` is running. Try again when it has finished.")
        server = EmbeddedServer(home)
        was_running = kill_orphans(home) or server.is_running() or was_running
        try:
            server.stop()
        except EmbeddedServerError as error:
            raise ServiceError(str(error)) from error
        left = [process.pid for process in list_marked_processes(home)] + ([server.find_pid()] if server.is_running() else [])
        if left:
            raise ServiceError(f"These processes do not stop: {', '.join(map(str, left))}. Kill them, then run `down` again.")
        get_state_path(home).unlink(missing_ok=True)
    return was_running


def _build_start_error(home: Path, pid: int, code: int) -> ServiceError:
    if code == 0:
        return ServiceError("Another command or a signal stopped it during the start.")
    state = read_state(home)
    error = state.error if state and state.supervisor.pid == pid else ""
    log = get_log_path(home, "supervisor")
    return ServiceError(error or f"The supervisor exited (exit code {code}). Last lines of {log}:\n{read_last_lines(log)}")


def _stop_supervisor(home: Path) -> bool:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    asked = False
    while is_locked(home) and time.monotonic() < deadline:
        if not asked and (state := read_running_state(home)):
            asked = True
            if process := state.supervisor.find():
                process.terminate()
        time.sleep(POLL_S)
    if is_locked(home) and (state := read_running_state(home)) and (process := state.supervisor.find()):
        kill_all([process])
    return asked


def _spawn(home: Path, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    try:
        log = open_log(get_log_path(home, "supervisor"))
    except OSError as error:
        raise ServiceError(f"Cannot write to {home} ({error.strerror}). Set HEIMDEX_HOME to a directory that you can write to.") from error
    try:
        return subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "HEIMDEX_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
