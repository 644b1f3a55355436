"""Start, stop and look at the services of one home, from a process that does not stay."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from heimdex.database.errors import EmbeddedServerError
from heimdex.database.server import EmbeddedServer
from heimdex.environment import CHECKOUT
from heimdex.services.errors import ServiceError
from heimdex.services.lock import hold_lock, is_locked
from heimdex.services.logs import last_lines, log_path, open_log
from heimdex.services.processes import end_orphans, kill_all, marked_processes
from heimdex.services.state import Phase, State, read_state, state_path
from heimdex.services.supervisor import ALREADY_RUNNING

SUPERVISOR = (sys.executable, "-m", "heimdex.services.run_supervisor")
# The supervisor grants its services 20 s and the database 30 s.
STOP_PATIENCE_S = 75.0
POLL_S = 0.1


def running_state(home: Path) -> State | None:
    """Return what the living supervisor of this home says, or None when none lives."""
    state = read_state(home)
    return state if state and state.supervisor.find() else None


def up(home: Path, on_phase: Callable[[Phase], None], command: Sequence[str] = SUPERVISOR) -> tuple[State, bool]:
    """Make the services run; return their state and whether this call started them.

    ServiceError tells why they do not start; they are stopped again then, and also on KeyboardInterrupt if this call started them.
    """
    started: subprocess.Popen[bytes] | None = None
    try:
        while True:
            state = running_state(home)
            if state and state.phase is Phase.RUNNING:
                return state, started is not None and state.supervisor.pid == started.pid
            if state:
                on_phase(state.phase)
            code = started.poll() if started else None
            if code == ALREADY_RUNNING:
                started = None
            elif started and code is not None:
                raise _ended(home, started.pid, code)
            if started is None and not is_locked(home):
                started = _spawn(home, command)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        if started and started.poll() is None:
            started.send_signal(signal.SIGTERM)
            started.wait()
        raise


def down(home: Path) -> bool:
    """Stop everything of this home, also what a killed supervisor left; return whether anything ran.

    ServiceError: something could not be stopped.
    """
    if not (home / "run").is_dir():
        return False
    ran = _stop_supervisor(home)
    with hold_lock(home, patience_s=5.0) as held:
        if not held:
            raise ServiceError("Another `up` or `down` is at work; try again when it is done.")
        server = EmbeddedServer(home)
        ran = end_orphans(home) or server.is_running() or ran
        try:
            server.stop()
        except EmbeddedServerError as error:
            raise ServiceError(str(error)) from error
        left = [process.pid for process in marked_processes(home)] + ([server.pid()] if server.is_running() else [])
        if left:
            raise ServiceError(f"These processes do not end: {', '.join(map(str, left))}. Stop them by hand, then call `down` again.")
        state_path(home).unlink(missing_ok=True)
    return ran


def _ended(home: Path, pid: int, code: int) -> ServiceError:
    if code == 0:
        return ServiceError("It was stopped while it started, by another command or by a signal.")
    state = read_state(home)
    error = state.error if state and state.supervisor.pid == pid else ""
    log = log_path(home, "supervisor")
    return ServiceError(error or f"The supervisor ended (exit code {code}). The end of {log}:\n{last_lines(log)}")


def _stop_supervisor(home: Path) -> bool:
    deadline = time.monotonic() + STOP_PATIENCE_S
    asked = False
    while is_locked(home) and time.monotonic() < deadline:
        if not asked and (state := running_state(home)):
            asked = True
            if process := state.supervisor.find():
                process.terminate()
        time.sleep(POLL_S)
    if is_locked(home) and (state := running_state(home)) and (process := state.supervisor.find()):
        kill_all([process])
    return asked


def _spawn(home: Path, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    try:
        log = open_log(log_path(home, "supervisor"))
    except OSError as error:
        raise ServiceError(f"Cannot write to {home} ({error.strerror}): set HEIMDEX_HOME to a directory of your own.") from error
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
