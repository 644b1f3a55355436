"""The embedded PostgreSQL server of one home directory."""

import fcntl
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from heimdex.database.address import Address, embedded_address
from heimdex.database.cluster import DATABASE, SUPERUSER, ensure_cluster, set_password
from heimdex.database.configuration import postgresql_conf
from heimdex.database.errors import EmbeddedServerError
from heimdex.database.ports import free_port, is_free
from heimdex.database.postmaster import end_orphans, end_postmaster, find_postmaster
from heimdex.database.programs import Programs
from heimdex.database.record import Record, read_record, write_record

START_ATTEMPTS = 5
# Recovery after a crash replays up to max_wal_size before anybody may log in.
READY_TIMEOUT_S = 300.0
LOG_LIMIT_BYTES = 10 * 1024**2


class EmbeddedServer:
    """Starts and stops the server whose data lies under `home/postgres`; any number of processes may do so at once."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home.resolve()
        self.durable = durable
        self.data = (self.home / "postgres").resolve()
        self.log = self.home / "logs" / "postgres.log"

    def start(self) -> Address:
        """Make sure that the server runs and takes log-ins, and return its address.

        It keeps the port of the last start unless somebody else took it. EmbeddedServerError tells why it does not start.
        """
        with self._lock():
            postmaster, record = find_postmaster(self.data), read_record(self.home)
            if postmaster and record and postmaster.port == record.port and self._ready(record, None):
                return self._address()
            if postmaster:
                end_postmaster(postmaster, self.data)
            return self._start(record)

    def stop(self) -> None:
        """Stop the server and all its processes; nothing happens when it does not run."""
        if not self.data.exists():
            return
        with self._lock():
            if postmaster := find_postmaster(self.data):
                end_postmaster(postmaster, self.data)
            end_orphans(self.data)
            if record := read_record(self.home):
                write_record(self.home, replace(record, pid=None))

    def is_running(self) -> bool:
        return self.pid() is not None

    def pid(self) -> int | None:
        """Return the process id of the server, or None when it does not run."""
        postmaster = find_postmaster(self.data)
        return postmaster.process.pid if postmaster else None

    def _start(self, record: Record | None) -> Address:
        end_orphans(self.data)
        # No live server is left, so the file can only name a stranger who got the same pid.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        programs = Programs.for_data(self.data)
        ensure_cluster(self.data, programs)
        for _ in range(START_ATTEMPTS):
            record = record or self._new_record(programs)
            if not is_free(record.port):
                record = replace(record, port=free_port())
            (self.data / "postgresql.conf").write_text(postgresql_conf(record.port, durable=self.durable))
            process, started_at = self._spawn(programs)
            record = replace(record, pid=process.pid)
            write_record(self.home, record)
            if self._ready(record, process):
                return self._address()
            output = self._log_since(started_at)
            if process.poll() is None:
                # It runs and refuses our password, as after a restored backup: give it one that we know.
                self._end()
                record = None
            elif "Address already in use" in output:
                record = replace(record, port=free_port())
            elif "pre-existing shared memory block" in output:
                end_orphans(self.data)
                time.sleep(1)
            else:
                raise programs.failure("server", process.returncode, f"{output}\n(log: {self.log})")
        raise EmbeddedServerError(f"The embedded PostgreSQL did not start in {START_ATTEMPTS} attempts; see {self.log}.")

    def _new_record(self, programs: Programs) -> Record:
        password = secrets.token_urlsafe(24)
        set_password(self.data, programs, password)
        record = Record(port=free_port(), password=password, user=SUPERUSER, database=DATABASE, pid=None)
        write_record(self.home, record)
        return record

    def _spawn(self, programs: Programs) -> tuple["subprocess.Popen[bytes]", int]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            return programs.start("postgres", "-D", str(self.data), log=log), log.tell()

    def _log_since(self, position: int) -> str:
        with self.log.open("rb") as log:
            log.seek(position)
            return log.read().decode(errors="replace")

    def _ready(self, record: Record, process: "subprocess.Popen[bytes] | None") -> bool:
        """Wait until the server takes a log-in; False when it ended, refused the password, or has not the database."""
        import psycopg

        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and (process is None or process.poll() is None):
            try:
                psycopg.connect(
                    host="127.0.0.1",
                    port=record.port,
                    user=record.user,
                    password=record.password,
                    dbname=record.database,
                    connect_timeout=5,
                ).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    return False
                if f'database "{record.database}" does not exist' in str(error):
                    raise EmbeddedServerError(
                        f"The embedded PostgreSQL has no database {record.database!r}: "
                        f"restore it, or stop and move {self.data} away to begin anew."
                    ) from error
                if process is None and not self.is_running():
                    return False
                time.sleep(0.1)
            else:
                return True
        if process is None or process.poll() is not None:
            return False
        raise EmbeddedServerError(f"The embedded PostgreSQL takes no log-in after {READY_TIMEOUT_S:.0f} s; see {self.log}.")

    def _end(self) -> None:
        if postmaster := find_postmaster(self.data):
            end_postmaster(postmaster, self.data)

    def _address(self) -> Address:
        address = embedded_address(self.home)
        if address is None:
            raise EmbeddedServerError(f"The record of the embedded PostgreSQL under {self.home} vanished; start it again.")
        return address

    @contextmanager
    def _lock(self) -> Iterator[None]:
        # On the directory itself, so that no lock file stays; `run` in it carries the supervisor's lock.
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.home, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise EmbeddedServerError(f"Cannot use {self.home} ({error.strerror}): set HEIMDEX_HOME to a directory of your own.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
