"""Create the data directory of the embedded server, and set its password."""

import shutil
import tempfile
from pathlib import Path

from heimdex.database.binaries import POSTGRES_VERSION
from heimdex.database.configuration import CLIENT_AUTHENTICATION
from heimdex.database.errors import EmbeddedServerError
from heimdex.database.programs import Programs

SUPERUSER = "heimdex"
DATABASE = "heimdex"


def ensure_cluster(data: Path, programs: Programs) -> None:
    """Make the data directory if there is none; it appears complete or not at all."""
    if data.exists():
        _check(data)
        return
    # The caller holds the lock, so what is there was left by an interrupted attempt.
    for leftover in data.parent.glob(f"{data.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{data.name}.new-", dir=data.parent))
    programs.own(scratch)
    _initdb(scratch, programs)
    (scratch / "pg_hba.conf").write_text(CLIENT_AUTHENTICATION)
    _single_user(scratch, programs, f"CREATE DATABASE {DATABASE}")
    scratch.rename(data)


def set_password(data: Path, programs: Programs, password: str) -> None:
    """Give the superuser a new password while the server is down; `password` holds URL-safe characters only."""
    _single_user(data, programs, f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'")


def _check(data: Path) -> None:
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedServerError(f"{data} is no PostgreSQL data directory: move it away, or set HEIMDEX_HOME to another one.") from None
    if version != str(POSTGRES_VERSION):
        raise EmbeddedServerError(
            f"{data} was made by PostgreSQL {version} and the embedded server is {POSTGRES_VERSION}: "
            "move it over with pg_dump and pg_restore, or set HEIMDEX_HOME to another directory."
        )


def _initdb(data: Path, programs: Programs) -> None:
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
        # Full-text search splits words by the C library's classes: in plain C, dashes and curly quotes count as letters.
        programs.run("initdb", *arguments, "--lc-ctype=C.UTF-8")
    except EmbeddedServerError as error:
        if "invalid locale name" not in str(error):
            raise
        programs.run("initdb", *arguments)


def _single_user(data: Path, programs: Programs, statement: str) -> None:
    output = programs.run("postgres", "--single", "-D", str(data), "postgres", stdin=f"{statement}\n")
    if "ERROR" in output:
        raise programs.failure("postgres --single", 1, output.replace(statement, "…"))
