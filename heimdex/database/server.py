"""The embedded PostgreSQL server of one home directory, and its TCP port."""

import fcntl
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from heimdex.database import EmbeddedServerError
from heimdex.database.connection_info import ConnectionInfo, read_superuser_connection
from heimdex.database.initdb import DATABASE, SUPERUSER, ensure_data_directory, render_postgresql_conf, set_password
from heimdex.database.log_access import make_log_directory, open_privately
from heimdex.database.pg_commands import PgCommands
from heimdex.database.postmaster import find_postmaster, kill_orphans, stop_postmaster
from heimdex.database.roles import APPLICATION_ROLE, ensure_application_role, set_role_password
from heimdex.database.state_file import EmbeddedServerState, read_server_state, write_server_state

START_ATTEMPTS = 5
# Recovery after a crash replays up to max_wal_size before the server accepts logins.
READY_TIMEOUT_S = 300.0
LOG_LIMIT_BYTES = 10 * 1024**2


class EmbeddedServer:
    """The server whose data is under `home/postgres`; any number of processes may start and stop it concurrently."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home.resolve()
        self.durable = durable
        self.data = (self.home / "postgres").resolve()
        self.log = self.home / "logs" / "postgres.log"

    def start(self) -> ConnectionInfo:
        """Start the server unless it runs, wait until it accepts logins, and return how to connect as superuser.

        It keeps the port of the last start unless another program took it. Raise EmbeddedServerError when it does not start.
        """
        with self._lock():
            postmaster, state = find_postmaster(self.data), read_server_state(self.home)
            if postmaster and state and postmaster.port == state.port and self._wait_until_ready(state, None):
                if not state.application_password:
                    self._ensure_application_role(state)
                return self._read_connection()
            if postmaster:
                stop_postmaster(postmaster, self.data)
            return self._start(state)

    def stop(self) -> None:
        """Stop the server and all its processes, if it runs."""
        if not self.data.exists():
            return
        with self._lock():
            self._stop_postmaster()
            kill_orphans(self.data)
            if state := read_server_state(self.home):
                write_server_state(self.home, replace(state, pid=None))

    def rotate_passwords(self) -> None:
        """Give both roles new passwords while the server runs. Open connections stay; new ones need the new passwords.

        Raise EmbeddedServerError when it does not run or refuses us.
        """
        with self._lock():
            state = read_server_state(self.home)
            if state is None or not self.is_running():
                raise EmbeddedServerError("The database does not run. Start Heimdex with `make up`, then rotate its passwords.")
            # One at a time: a process that is killed between the file and the server can then repeat the rest.
            for role in (APPLICATION_ROLE, state.user):
                password = secrets.token_urlsafe(24)
                is_superuser = role == state.user
                state = replace(state, password=password) if is_superuser else replace(state, application_password=password)
                self._set_password(role, password, state)

    def _set_password(self, role: str, password: str, state: EmbeddedServerState) -> None:
        import psycopg

        try:
            with psycopg.connect(self._read_connection().url, autocommit=True) as superuser, superuser.transaction():
                set_role_password(superuser, role, password)
                write_server_state(self.home, state)
        except psycopg.OperationalError as error:
            raise EmbeddedServerError(
                f"The database refuses to change the password of {role} ({' '.join(str(error).split())}). "
                "Restart Heimdex with `make down && make up`, which sets new passwords where they do not fit."
            ) from error

    def is_running(self) -> bool:
        return self.find_pid() is not None

    def find_pid(self) -> int | None:
        """Return the server's process id, or None when it does not run."""
        postmaster = find_postmaster(self.data)
        return postmaster.process.pid if postmaster else None

    def _start(self, state: EmbeddedServerState | None) -> ConnectionInfo:
        kill_orphans(self.data)
        # No live server is left, so the file can only name an unrelated process that got the same pid.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        commands = PgCommands.build_for_data(self.data)
        ensure_data_directory(self.data, commands)
        for _ in range(START_ATTEMPTS):
            state = state or self._create_state(commands)
            if not is_free(state.port):
                state = replace(state, port=find_free_port())
            (self.data / "postgresql.conf").write_text(render_postgresql_conf(state.port, durable=self.durable))
            process, log_position = self._spawn(commands)
            state = replace(state, pid=process.pid)
            write_server_state(self.home, state)
            if self._wait_until_ready(state, process):
                # Also of a database that was restored from a backup, or written by an older version.
                self._ensure_application_role(state)
                return self._read_connection()
            output = self._read_log(log_position)
            if process.poll() is None:
                # It runs but rejects our password, as after a restored backup: set a new one.
                self._stop_postmaster()
                state = None
            elif "Address already in use" in output:
                state = replace(state, port=find_free_port())
            elif "pre-existing shared memory block" in output:
                kill_orphans(self.data)
                time.sleep(1)
            else:
                raise commands.build_error("server", process.returncode, f"{output}\n(log: {self.log})")
        raise EmbeddedServerError(f"The embedded PostgreSQL did not start in {START_ATTEMPTS} attempts. See {self.log}.")

    def _create_state(self, commands: PgCommands) -> EmbeddedServerState:
        password = secrets.token_urlsafe(24)
        set_password(self.data, commands, password)
        state = EmbeddedServerState(port=find_free_port(), password=password, user=SUPERUSER, database=DATABASE, pid=None)
        write_server_state(self.home, state)
        return state

    def _ensure_application_role(self, state: EmbeddedServerState) -> None:
        import psycopg

        password = state.application_password or secrets.token_urlsafe(24)
        with psycopg.connect(self._read_connection().url, autocommit=True) as superuser:
            ensure_application_role(superuser, password)
        write_server_state(self.home, replace(state, application_password=password))

    def _spawn(self, commands: PgCommands) -> tuple["subprocess.Popen[bytes]", int]:
        """Start the server; return its process and the byte position in its log."""
        make_log_directory(self.log.parent)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with open(self.log, "ab", opener=open_privately) as log:
            return commands.start("postgres", "-D", str(self.data), log=log), log.tell()

    def _read_log(self, position: int) -> str:
        with self.log.open("rb") as log:
            log.seek(position)
            return log.read().decode(errors="replace")

    def _wait_until_ready(self, state: EmbeddedServerState, process: "subprocess.Popen[bytes] | None") -> bool:
        """Wait until the server accepts a login; return False when it ended or rejected the password.

        Raise EmbeddedServerError when its database is missing, or when it does not get ready in time.
        """
        import psycopg

        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and (process is None or process.poll() is None):
            try:
                psycopg.connect(
                    host="127.0.0.1",
                    port=state.port,
                    user=state.user,
                    password=state.password,
                    dbname=state.database,
                    connect_timeout=5,
                ).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    return False
                if f'database "{state.database}" does not exist' in str(error):
                    raise EmbeddedServerError(
                        f"The embedded PostgreSQL has no database {state.database!r}. "
                        f"Restore it, or stop Heimdex and move {self.data} away to start with an empty one."
                    ) from error
                if process is None and not self.is_running():
                    return False
                time.sleep(0.1)
            else:
                return True
        if process is None or process.poll() is not None:
            return False
        raise EmbeddedServerError(f"The embedded PostgreSQL accepts no login after {READY_TIMEOUT_S:.0f} s. See {self.log}.")

    def _stop_postmaster(self) -> None:
        if postmaster := find_postmaster(self.data):
            stop_postmaster(postmaster, self.data)

    def _read_connection(self) -> ConnectionInfo:
        connection = read_superuser_connection(self.home)
        if connection is None:
            raise EmbeddedServerError(f"The state file of the embedded PostgreSQL under {self.home} disappeared. Start Heimdex again.")
        return connection

    @contextmanager
    def _lock(self) -> Iterator[None]:
        # On the directory itself, so that no lock file stays; its `run` holds the supervisor's lock.
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.home, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise EmbeddedServerError(
                f"Cannot use {self.home} ({error.strerror}). Set HEIMDEX_HOME to a directory that you can write to."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As servers do: connections of the last run in TIME_WAIT do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def find_free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pick_port(preferred: int) -> int:
    """Return `preferred` if it is free, else one of the next twenty, else any free port."""
    candidates = range(preferred, min(preferred + 21, 65536))
    return next((port for port in candidates if is_free(port)), None) or find_free_port()
