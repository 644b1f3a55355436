"""The process that starts the services of one home, watches them, and stops them."""

import logging
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import FrameType

import psutil

from heimdex.database import EmbeddedServerError
from heimdex.database.connection_info import ConnectionInfo
from heimdex.database.server import EmbeddedServer
from heimdex.services import ServiceError
from heimdex.services.definitions import Service
from heimdex.services.log_files import get_log_path, read_last_lines, rotate
from heimdex.services.managed_process import ManagedProcess, compute_restart_delay_s
from heimdex.services.processes import ProcessIdentity, adopt_orphans, kill_group, kill_orphans, reap_adopted, reap_all
from heimdex.services.state import Phase, ServiceState, SupervisorState, get_state_path, read_state, write_state

logger = logging.getLogger("heimdex.supervisor")

TICK_S = 0.2
HOUSEKEEPING_EVERY_S = 5.0
STOP_TIMEOUT_S = 20.0
READY_TIMEOUT_S = 180.0
# After this many failures in a row `up` fails instead of waiting.
START_FAILURES = 3
# Exit code when another supervisor is running (EX_TEMPFAIL of sysexits.h).
ALREADY_RUNNING = 75


class Supervisor:
    """Runs until SIGTERM or SIGINT; the caller holds the lock of `home` and has killed its orphans."""

    def __init__(
        self, home: Path, services: Iterable[Service], *, url: str, server: EmbeddedServer | None, migration: Service | None
    ) -> None:
        """`server` is the embedded database to run; `migration` runs to its end before the services start."""
        self.home = home
        self.server = server
        self.migration = ManagedProcess(migration, home) if migration else None
        self.processes = [ManagedProcess(service, home) for service in services]
        self.state = SupervisorState(ProcessIdentity.of(os.getpid()), Phase.DATABASE, url)
        self.is_stopping = False
        self.connection: ConnectionInfo | None = None
        self.database = ServiceState("postgres")
        self.database_failures = 0
        self.database_retry_at = 0.0
        self.housekeeping_at = 0.0
        self.is_evicted = False

    def run(self) -> str:
        """Start, watch and stop everything; return "" after a requested stop, else the error that ended it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        adopt_orphans()
        error = ""
        try:
            self._start()
            while not self.is_stopping:
                self._tick()
                time.sleep(TICK_S)
        except (EmbeddedServerError, ServiceError) as failure:
            error = str(failure)
            logger.error(error)
        finally:
            self._shut_down(error)
        return error

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def _start(self) -> None:
        self._publish()
        if self.server:
            self.connection = self.server.start()
            self._record_database()
        if self.migration:
            self._publish(phase=Phase.MIGRATING)
            self._migrate(self.migration)
        self._publish(phase=Phase.STARTING)
        self._wait_until_ready()
        if not self.is_stopping:
            self._publish(phase=Phase.RUNNING)
            logger.info("all services are running")

    def _migrate(self, process: ManagedProcess) -> None:
        process.start()
        while not process.has_exited():
            if self.is_stopping:
                process.kill()
                return
            time.sleep(TICK_S)
        if process.exit != "exit code 0":
            raise _build_error(f"{process.service.name} failed ({process.exit})", process)

    def _wait_until_ready(self) -> None:
        waiting = list(self.processes)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while waiting and not self.is_stopping:
            self._tick()
            for process in waiting:
                if process.failures >= START_FAILURES:
                    raise _build_error(f"{process.service.name} does not start ({process.exit})", process)
                if time.monotonic() > deadline:
                    raise _build_error(f"{process.service.name} is not ready after {READY_TIMEOUT_S:.0f} s", process)
            waiting = [process for process in waiting if not _is_ready(process)]
            time.sleep(TICK_S)

    def _tick(self) -> None:
        now = time.monotonic()
        if self.server:
            self._watch_database(self.server, now)
        for process in self.processes:
            if process.process is not None and process.has_exited():
                logger.warning("%s exited (%s); restarting in %.1f s", process.service.name, process.exit, process.next_start_at - now)
                self._publish()
            if process.process is None and now >= process.next_start_at:
                process.start()
                logger.info("%s started, pid %s", process.service.name, process.process and process.process.pid)
                self._publish()
        reap_adopted(self._list_known_pids())
        if now >= self.housekeeping_at:
            self.housekeeping_at = now + HOUSEKEEPING_EVERY_S
            self._do_housekeeping()

    def _do_housekeeping(self) -> None:
        for process in self.processes:
            if process.process is not None and process.is_frozen():
                logger.error("%s has sent no heartbeat for too long; killing it, so that it is restarted", process.service.name)
                kill_group(process.process.pid)
        for name in ("postgres", "supervisor", *(process.service.name for process in self.processes)):
            rotate(get_log_path(self.home, name))
        state = read_state(self.home)
        if state is None or state.supervisor != self.state.supervisor:
            # The home was removed, and our lock with it: another supervisor may run there by now.
            logger.warning("%s no longer belongs to this supervisor; stopping", self.home)
            self.is_stopping = self.is_evicted = True

    def _watch_database(self, server: EmbeddedServer, now: float) -> None:
        if server.is_running() or now < self.database_retry_at:
            return
        if not server.data.is_dir():
            # A start would create an empty database, and with it the impression that everything is lost.
            raise ServiceError(
                f"The database's directory {server.data} has disappeared. Restore it from a backup, then start Heimdex again."
            )
        self.database_failures += 1
        self.database_retry_at = now + compute_restart_delay_s(self.database_failures)
        logger.warning("PostgreSQL exited; restarting it")
        try:
            connection = server.start()
        except EmbeddedServerError as error:
            self.database = replace(self.database, process=None, exit=str(error))
            logger.error(str(error))
            self._publish()
            return
        self.database_failures = 0
        self.database = replace(self.database, restarts=self.database.restarts + 1)
        self._record_database()
        # A rotated password alone is no reason: the services read it again by themselves.
        if self.connection is None or connection.port != self.connection.port:
            logger.warning("PostgreSQL moved to port %s; restarting the services to follow it", connection.port)
            self.connection = connection
            self._stop(self.processes)
        self._publish()

    def _record_database(self) -> None:
        pid = self.server and self.server.find_pid()
        self.database = replace(self.database, process=ProcessIdentity.of(pid) if pid else None)

    def _list_known_pids(self) -> set[int]:
        return {process.process.pid for process in self._list_processes() if process.process}

    def _publish(self, *, phase: Phase | None = None) -> None:
        services = (*((self.database,) if self.server else ()), *(process.describe_state() for process in self.processes))
        self.state = replace(self.state, phase=phase or self.state.phase, services=services)
        write_state(self.home, self.state)

    def _list_processes(self) -> list[ManagedProcess]:
        return [*self.processes, *([self.migration] if self.migration else [])]

    def _stop(self, processes: list[ManagedProcess]) -> None:
        for process in processes:
            process.request_stop()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        waiting = [process for process in processes if not process.has_exited()]
        while waiting and time.monotonic() < deadline:
            time.sleep(TICK_S / 4)
            waiting = [process for process in waiting if not process.has_exited()]
        for process in waiting:
            logger.warning("%s did not stop in %.0f s; killing it", process.service.name, STOP_TIMEOUT_S)
            process.kill()

    def _shut_down(self, error: str) -> None:
        if self.is_evicted:
            if self.database.process and (postmaster := self.database.process.find()):
                postmaster.send_signal(signal.SIGINT)
            self._stop(self.processes)
            reap_all()
            return
        if not error:
            self._publish(phase=Phase.STOPPING)
        self._stop(self._list_processes())
        kill_orphans(self.home)
        if self.server:
            self.server.stop()
        reap_all()
        if error:
            self.database = replace(self.database, process=None)
            self.state = replace(self.state, error=error)
            self._publish(phase=Phase.FAILED)
        else:
            get_state_path(self.home).unlink(missing_ok=True)
        logger.info("stopped")


def _is_ready(process: ManagedProcess) -> bool:
    return process.process is not None and process.service.is_ready(psutil.Process(process.process.pid))


def _build_error(problem: str, process: ManagedProcess) -> ServiceError:
    lines = read_last_lines(process.log, since=process.log_position).replace("\n", "\n  ")
    return ServiceError(f"{problem}. Last lines of {process.log}:\n  {lines or '(no output)'}")
