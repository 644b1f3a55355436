"""One supervised service: its process, its exit, and its next start."""

import os
import subprocess
import time
from pathlib import Path

from heimdex.services.definitions import Service
from heimdex.services.log_files import get_log_path, open_log
from heimdex.services.processes import MARKER, ProcessIdentity, kill_group
from heimdex.services.state import ServiceState

# A service that ran this long was healthy: its next exit counts as the first failure.
STABLE_S = 60.0
FIRST_DELAY_S = 0.5
MAX_DELAY_S = 30.0


class ManagedProcess:
    """Runs a service in its own session; all times are seconds of the monotonic clock."""

    def __init__(self, service: Service, home: Path) -> None:
        self.service = service
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: ProcessIdentity | None = None
        self.started_at = 0.0
        self.next_start_at = 0.0
        self.failures = 0
        self.starts = 0
        self.exit = ""
        self.log_position = 0

    @property
    def log(self) -> Path:
        return get_log_path(self.home, self.service.name)

    def start(self) -> None:
        """Start the process; its output goes to its log."""
        log = open_log(self.log)
        try:
            self.log_position = os.fstat(log).st_size
            self.process = subprocess.Popen(
                self.service.command,
                cwd=self.service.working_directory,
                env={**self.service.environment, MARKER: str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self.identity = ProcessIdentity.of(self.process.pid)
        self.started_at = time.monotonic()
        self.starts += 1

    def has_exited(self) -> bool:
        """Return whether the main process has exited; if so, kill its leftover children and schedule the next start."""
        if self.process is None:
            return True
        # WNOWAIT does not reap it, so the process group's number cannot have been reused.
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        kill_group(self.process.pid)
        code = self.process.wait()
        now = time.monotonic()
        self.exit = f"exit code {code}" if code >= 0 else f"signal {-code}"
        self.failures = count_failures(self.failures, now - self.started_at)
        self.next_start_at = now + compute_restart_delay_s(self.failures)
        self.process = self.identity = None
        return True

    def is_frozen(self) -> bool:
        """Return whether the process runs and has sent no heartbeat for too long. A heartbeat of an earlier process does not count."""
        heartbeat = self.service.heartbeat
        if self.process is None or heartbeat is None:
            return False
        silence_s, uptime_s = heartbeat.measure_silence_s(), time.monotonic() - self.started_at
        return min(uptime_s if silence_s is None else silence_s, uptime_s) > heartbeat.max_silence_s

    def request_stop(self) -> None:
        """Send SIGTERM to the main process only: a django-q worker that receives it too hangs its cluster."""
        if self.process:
            self.process.terminate()

    def kill(self) -> None:
        if self.process:
            kill_group(self.process.pid)
            self.process.wait()
            self.process = self.identity = None

    def describe_state(self) -> ServiceState:
        return ServiceState(self.service.name, self.identity, max(self.starts - 1, 0), self.exit)


def count_failures(failures: int, uptime_s: float) -> int:
    """Return the number of exits in a row, given the count before this exit and the uptime that it ended."""
    return 1 if uptime_s >= STABLE_S else failures + 1


def compute_restart_delay_s(failures: int) -> float:
    """Return the delay before the next start in seconds: 0.5, doubled with every failure up to 30."""
    # The exponent is bounded too: a service that never runs would overflow it after a day.
    return min(FIRST_DELAY_S * 2.0 ** min(failures - 1, 10), MAX_DELAY_S)
