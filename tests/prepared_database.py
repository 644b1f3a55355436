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


def empty_touched_tables(database: BaseDatabaseWrapper) -> None:
    """Truncate the tables that have rows: `flush` truncates all, and sends the signals of a migration afterwards."""
    with database.cursor() as cursor:
        cursor.execute(_find_touched_tables(database))
        touched = [database.ops.quote_name(name) for (name,) in cursor.fetchall()]
    if touched:
        database.ops.execute_sql_flush([f"TRUNCATE {', '.join(touched)} CASCADE"])


def empty_tables_of(test: TransactionTestCase) -> None:
    """Replace TransactionTestCase._fixture_teardown."""
    empty_touched_tables(connection)


def _find_touched_tables(database: BaseDatabaseWrapper) -> str:
    names = set(database.introspection.django_table_names(only_existing=False, include_views=False)) - CONSTANT_TABLES
    selects = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM {database.ops.quote_name(name)})" for name in sorted(names)]
    return " UNION ALL ".join(selects)


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
