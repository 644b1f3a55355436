"""One supervised service: its process, its end, and its next start."""

import os
import subprocess
import time
from pathlib import Path

from heimdex.services.logs import log_path, open_log
from heimdex.services.processes import MARKER, Identity, kill_group
from heimdex.services.restart import failures_after_exit, restart_delay_s
from heimdex.services.service import Service
from heimdex.services.state import ServiceState


class Child:
    """Runs a service in a session of its own; all times are of the monotonic clock, in seconds."""

    def __init__(self, service: Service, home: Path) -> None:
        self.service = service
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: Identity | None = None
        self.started_at = 0.0
        self.next_start_at = 0.0
        self.failures = 0
        self.starts = 0
        self.exit = ""
        self.log_position = 0

    @property
    def log(self) -> Path:
        return log_path(self.home, self.service.name)

    def start(self) -> None:
        """Start the process; what it prints goes to its log."""
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
        self.identity = Identity.of(self.process.pid)
        self.started_at = time.monotonic()
        self.starts += 1

    def has_ended(self) -> bool:
        """Tell whether the main process ended; if so, kill what it left behind and set the time of the next start."""
        if self.process is None:
            return True
        # Not reaped yet: the number of the process group cannot have gone to anybody else.
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        kill_group(self.process.pid)
        code = self.process.wait()
        now = time.monotonic()
        self.exit = f"exit code {code}" if code >= 0 else f"signal {-code}"
        self.failures = failures_after_exit(self.failures, now - self.started_at)
        self.next_start_at = now + restart_delay_s(self.failures)
        self.process = self.identity = None
        return True

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the main process alone: a django-q worker that gets it too hangs its cluster."""
        if self.process:
            self.process.terminate()

    def kill(self) -> None:
        if self.process:
            kill_group(self.process.pid)
            self.process.wait()
            self.process = self.identity = None

    def state(self) -> ServiceState:
        return ServiceState(self.service.name, self.identity, max(self.starts - 1, 0), self.exit)
