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

from heimdex.database.address import Address
from heimdex.database.errors import EmbeddedServerError
from heimdex.database.server import EmbeddedServer
from heimdex.services.child import Child
from heimdex.services.errors import ServiceError
from heimdex.services.logs import last_lines, log_path, rotate
from heimdex.services.processes import Identity, adopt_orphans, end_orphans, reap_adopted, reap_all
from heimdex.services.restart import restart_delay_s
from heimdex.services.service import Service
from heimdex.services.state import Phase, ServiceState, State, read_state, state_path, write_state

logger = logging.getLogger("heimdex.supervisor")

TICK_S = 0.2
HOUSEKEEPING_EVERY_S = 5.0
GRACE_S = 20.0
READY_TIMEOUT_S = 180.0
# So many ends in a row while `up` waits, and `up` fails instead of waiting on.
START_FAILURES = 3
# The exit code of a supervisor that finds another one at work (EX_TEMPFAIL of sysexits.h).
ALREADY_RUNNING = 75


class Supervisor:
    """Runs until SIGTERM or SIGINT; the caller holds the lock of `home` and has ended the orphans there."""

    def __init__(self, home: Path, services: Iterable[Service], *, url: str, server: EmbeddedServer | None, first: Service | None) -> None:
        """`server`: the embedded database to run too; `first`: what must run to its end before the services start."""
        self.home = home
        self.server = server
        self.first = Child(first, home) if first else None
        self.children = [Child(service, home) for service in services]
        self.state = State(Identity.of(os.getpid()), Phase.DATABASE, url)
        self.stopping = False
        self.address: Address | None = None
        self.database = ServiceState("postgres")
        self.database_failures = 0
        self.database_retry_at = 0.0
        self.housekeeping_at = 0.0
        self.evicted = False

    def run(self) -> str:
        """Start, watch and stop everything; return "" after a requested stop, else the error that ended it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        adopt_orphans()
        error = ""
        try:
            self._begin()
            while not self.stopping:
                self._tick()
                time.sleep(TICK_S)
        except (EmbeddedServerError, ServiceError) as failure:
            error = str(failure)
            logger.error(error)
        finally:
            self._end(error)
        return error

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _begin(self) -> None:
        self._publish()
        if self.server:
            self.address = self.server.start()
            self._note_database()
        if self.first:
            self._publish(phase=Phase.PREPARING)
            self._run_first(self.first)
        self._publish(phase=Phase.STARTING)
        self._wait_until_ready()
        if not self.stopping:
            self._publish(phase=Phase.RUNNING)
            logger.info("all services run")

    def _run_first(self, child: Child) -> None:
        child.start()
        while not child.has_ended():
            if self.stopping:
                child.kill()
                return
            time.sleep(TICK_S)
        if child.exit != "exit code 0":
            raise _failure(f"{child.service.name} failed ({child.exit})", child)

    def _wait_until_ready(self) -> None:
        waiting = list(self.children)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while waiting and not self.stopping:
            self._tick()
            for child in waiting:
                if child.failures >= START_FAILURES:
                    raise _failure(f"{child.service.name} does not start ({child.exit})", child)
                if time.monotonic() > deadline:
                    raise _failure(f"{child.service.name} is not ready after {READY_TIMEOUT_S:.0f} s", child)
            waiting = [child for child in waiting if not (child.process and child.service.is_ready(psutil.Process(child.process.pid)))]
            time.sleep(TICK_S)

    def _tick(self) -> None:
        now = time.monotonic()
        if self.server:
            self._watch_database(self.server, now)
        for child in self.children:
            if child.process is not None and child.has_ended():
                logger.warning("%s ended (%s); it starts again in %.1f s", child.service.name, child.exit, child.next_start_at - now)
                self._publish()
            if child.process is None and now >= child.next_start_at:
                child.start()
                logger.info("%s started, pid %s", child.service.name, child.process and child.process.pid)
                self._publish()
        reap_adopted(self._known_pids())
        if now >= self.housekeeping_at:
            self.housekeeping_at = now + HOUSEKEEPING_EVERY_S
            self._keep_house()

    def _keep_house(self) -> None:
        for name in ("postgres", "supervisor", *(child.service.name for child in self.children)):
            rotate(log_path(self.home, name))
        state = read_state(self.home)
        if state is None or state.supervisor != self.state.supervisor:
            # Somebody removed the home, and with it our lock: another supervisor may be at work there by now.
            logger.warning("%s is no longer ours", self.home)
            self.stopping = self.evicted = True

    def _watch_database(self, server: EmbeddedServer, now: float) -> None:
        if server.is_running() or now < self.database_retry_at:
            return
        self.database_failures += 1
        self.database_retry_at = now + restart_delay_s(self.database_failures)
        logger.warning("PostgreSQL ended; it starts again")
        try:
            address = server.start()
        except EmbeddedServerError as error:
            self.database = replace(self.database, process=None, exit=str(error))
            logger.error(str(error))
            self._publish()
            return
        self.database_failures = 0
        self.database = replace(self.database, restarts=self.database.restarts + 1)
        self._note_database()
        if address != self.address:
            logger.warning("PostgreSQL moved to port %s; the services start again to follow", address.port)
            self.address = address
            self._stop(self.children)
        self._publish()

    def _note_database(self) -> None:
        pid = self.server and self.server.pid()
        self.database = replace(self.database, process=Identity.of(pid) if pid else None)

    def _known_pids(self) -> set[int]:
        return {child.process.pid for child in (*self.children, *([self.first] if self.first else [])) if child.process}

    def _publish(self, *, phase: Phase | None = None) -> None:
        services = (*((self.database,) if self.server else ()), *(child.state() for child in self.children))
        self.state = replace(self.state, phase=phase or self.state.phase, services=services)
        write_state(self.home, self.state)

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + GRACE_S
        waiting = [child for child in children if not child.has_ended()]
        while waiting and time.monotonic() < deadline:
            time.sleep(TICK_S / 4)
            waiting = [child for child in waiting if not child.has_ended()]
        for child in waiting:
            logger.warning("%s did not stop in %.0f s and was killed", child.service.name, GRACE_S)
            child.kill()

    def _end(self, error: str) -> None:
        if self.evicted:
            if self.database.process and (postmaster := self.database.process.find()):
                postmaster.send_signal(signal.SIGINT)
            self._stop(self.children)
            reap_all()
            return
        if not error:
            self._publish(phase=Phase.STOPPING)
        self._stop([*self.children, *([self.first] if self.first else [])])
        end_orphans(self.home)
        if self.server:
            self.server.stop()
        reap_all()
        if error:
            self.database = replace(self.database, process=None)
            self.state = replace(self.state, error=error)
            self._publish(phase=Phase.FAILED)
        else:
            state_path(self.home).unlink(missing_ok=True)
        logger.info("stopped")


def _failure(what: str, child: Child) -> ServiceError:
    lines = last_lines(child.log, since=child.log_position).replace("\n", "\n  ")
    return ServiceError(f"{what}. The end of {child.log}:\n  {lines or '(it printed nothing)'}")
