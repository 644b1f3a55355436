"""The suite's PostgreSQL: a copy of a data directory that has been migrated, kept in `.cache/tests` until a migration or a pin changes."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

from heimdex.database.server import EmbeddedServer
from tests.database_sessions import end_other_sessions

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "tests"
# What decides the content of a migrated data directory.
SOURCES = ("*/migrations/*.py", "*/*/migrations/*.py", "heimdex/database/*.py", "requirements/dev.txt")
# `flush` empties these too, and fills them again with the same rows.
CONSTANT_TABLES = frozenset({"auth_permission", "django_content_type"})


def start_server(home: Path) -> EmbeddedServer:
    """Start a server under `home` on a migrated database, and connect Django's default connection to it."""
    with _lock():
        prepared = _prepare()
        # It belongs to a system user when root runs the suite.
        subprocess.run(["cp", "-a", str(prepared / "postgres"), str(prepared / "run"), str(home)], check=True)
    return _start(home)


def is_started() -> bool:
    """Return whether this process uses a prepared database; before that, no module can have written to it."""
    return "HEIMDEX_DATABASE_URL" in os.environ


def find_touched_tables(database: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the tables that have rows."""
    names = set(database.introspection.django_table_names(only_existing=False, include_views=False)) - CONSTANT_TABLES
    selects = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM {database.ops.quote_name(name)})" for name in sorted(names)]
    with database.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects))
        return [name for (name,) in cursor.fetchall()]


def empty_touched_tables(database: BaseDatabaseWrapper) -> list[str]:
    """Truncate the tables that have rows, and return their names. `flush` truncates all, and sends the signals of a migration."""
    touched = find_touched_tables(database)
    if touched:
        database.ops.execute_sql_flush([f"TRUNCATE {', '.join(map(database.ops.quote_name, touched))} CASCADE"])
    return touched


def empty_tables_of(test: TransactionTestCase) -> None:
    """Replace TransactionTestCase._fixture_teardown. Fail the test if it leaves a process or a thread that could write afterwards."""
    left = end_other_sessions(connection)
    empty_touched_tables(connection)
    assert not left, (
        f"Processes or threads still use the database at the end of the test: {left}. End them in a fixture that needs the database."
    )


def check_that_tables_are_empty(module: str) -> None:
    """Fail if a test module leaves rows, and delete them, so that no other module finds them."""
    touched = empty_touched_tables(connection)
    assert not touched, (
        f"{module} leaves rows in {', '.join(touched)}. A thread or a process has committed them, "
        "beside the transaction of a test or after its tables were emptied. Let it end before the test does."
    )


def _prepare() -> Path:
    prepared = CACHE / _compute_digest()
    if prepared.exists():
        return prepared
    for older in CACHE.iterdir():
        if older.is_dir():
            shutil.rmtree(older)
    scratch = CACHE / "new"
    scratch.mkdir()
    server = _start(scratch)
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        server.stop()
    scratch.rename(prepared)
    return prepared


def _start(home: Path) -> EmbeddedServer:
    server = EmbeddedServer(home, durable=False)
    address = server.start()
    os.environ["HEIMDEX_DATABASE_URL"] = address.url
    place: dict[str, Any] = {"HOST": address.host, "PORT": address.port, "USER": address.user, "PASSWORD": address.password}
    connection.settings_dict.update(place | {"NAME": address.database})
    return server


def _compute_digest() -> str:
    files = sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)})
    return hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()[:16]


@contextmanager
def _lock() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
