"""Create the data directory of the embedded server with its configuration files, and set its password."""

import shutil
import tempfile
from pathlib import Path

from heimdex.database import EmbeddedServerError
from heimdex.database.pg_commands import POSTGRES_VERSION, PgCommands

SUPERUSER = "heimdex"
DATABASE = "heimdex"
# Every login needs the password and comes from the loopback interface.
CLIENT_AUTHENTICATION = "host all all 127.0.0.1/32 scram-sha-256\n"
_SMALL_MACHINE = {
    "listen_addresses": "127.0.0.1",
    # A socket path is limited to 107 bytes; a checkout's path is often longer.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    # Containers limit /dev/shm to 64 MB, less than one parallel build of a vector index needs.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %a ",
    # Statements and details of errors contain rows: hashes of passwords, tokens, addresses, queries.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
_DISPOSABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def ensure_data_directory(data: Path, commands: PgCommands) -> None:
    """Create the data directory if it is missing, completely or not at all.

    Raise EmbeddedServerError when it is not a data directory of this PostgreSQL version.
    """
    if data.exists():
        _check(data)
        return
    # The caller holds the lock, so an interrupted attempt left these.
    for leftover in data.parent.glob(f"{data.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{data.name}.new-", dir=data.parent))
    commands.chown(scratch)
    _run_initdb(scratch, commands)
    (scratch / "pg_hba.conf").write_text(CLIENT_AUTHENTICATION)
    _run_single_user(scratch, commands, f"CREATE DATABASE {DATABASE}")
    scratch.rename(data)


def set_password(data: Path, commands: PgCommands, password: str) -> None:
    """Set the superuser's password while the server is stopped; `password` holds URL-safe characters only."""
    _run_single_user(data, commands, f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'")


def _check(data: Path) -> None:
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedServerError(f"{data} is not a PostgreSQL data directory. Move it away, or set HEIMDEX_HOME to another one.") from None
    if version != str(POSTGRES_VERSION):
        raise EmbeddedServerError(
            f"{data} was created by PostgreSQL {version}, but the embedded server is version {POSTGRES_VERSION}. "
            "Migrate it with pg_dump and pg_restore, or set HEIMDEX_HOME to another directory."
        )


def _run_initdb(data: Path, commands: PgCommands) -> None:
    arguments = [
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--auth=reject",
        "--no-instructions",
    ]
    try:
        # Full-text search classifies characters by the C library: in plain C, dashes and curly quotes count as letters.
        commands.run("initdb", *arguments, "--lc-ctype=C.UTF-8")
    except EmbeddedServerError as error:
        if "invalid locale name" not in str(error):
            raise
        commands.run("initdb", *arguments)


def _run_single_user(data: Path, commands: PgCommands, statement: str) -> None:
    output = commands.run("postgres", "--single", "-D", str(data), "postgres", stdin=f"{statement}\n")
    if "ERROR" in output:
        raise commands.build_error("postgres --single", 1, output.replace(statement, "…"))


def render_postgresql_conf(port: int, *, durable: bool) -> str:
    """Return postgresql.conf for a machine with about 4 GB of memory; `durable=False` risks the data in a power failure, for fast tests."""
    settings = {**_SMALL_MACHINE, "port": str(port), **({} if durable else _DISPOSABLE)}
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    return "\n".join(["# Rewritten at every start. Change settings with ALTER SYSTEM, which takes precedence.", *lines, ""])
