"""Keep filled libraries in a PostgreSQL server of their own, so that the benchmarks of a run share them.

With HEIMDEX_BENCH_LIBRARIES, the server's data is in the folder that it names, and later runs find the libraries filled.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.reel_scenes import hash_sources
from bench.scale_library import ScaleLibrary, fill_library, load_library

if TYPE_CHECKING:
    from heimdex.database.connection_info import ConnectionInfo

LIBRARIES = "HEIMDEX_BENCH_LIBRARIES"
# The code that determines the rows of a library, and that which determines its packed vectors.
_ROW_SOURCES = (
    *("bench/binary_copy.py", "bench/scale_library.py", "bench/scale_rows.py", "bench/scale_vectors.py", "bench/scale_words.py"),
    *("heimdex/accounts/migrations", "people/migrations", "reprocess/migrations", "videos/migrations"),
)
_PACKING_SOURCES = ("videos/search/packing.py", "videos/search/packed_vectors.py", "videos/search/vector_codes.py")


class LibraryServer:
    """A server with a database for each library. It has the connection of this process, and of those that it starts."""

    def __init__(self, superuser: "ConnectionInfo") -> None:
        self._superuser = superuser

    def connect(self, sizes: Mapping[int, int]) -> ScaleLibrary:
        """Connect to the library of some sizes, packed. Fill it if there is none."""
        name = name_library(sizes, _compute_key())
        if name not in self._list_databases():
            self._fill(name, sizes)
        self._use(name)
        _pack(hash_sources(_PACKING_SOURCES))
        return load_library(sizes)

    def _fill(self, name: str, sizes: Mapping[int, int]) -> None:
        from django.core.management import call_command

        began = perf_counter()
        print(f"    filling a library of {count_scenes(sizes):,} scenes …", flush=True)
        for other in self._list_databases():
            if is_outdated(other, name):
                self._execute("DROP DATABASE {} WITH (FORCE)", other)
        unfinished = f"unfinished_{name}"
        self._execute("CREATE DATABASE {}", unfinished)
        self._use(unfinished)
        call_command("migrate", verbosity=0)
        fill_library(sizes)
        connect_to(self._superuser)
        self._execute("ALTER DATABASE {} RENAME TO {}", unfinished, name)
        print(f"    filled in {perf_counter() - began:.0f} s", flush=True)

    def _use(self, name: str) -> None:
        from dataclasses import replace

        connect_to(replace(self._superuser, database=name))

    def _list_databases(self) -> list[str]:
        return [name for (name,) in self._execute("SELECT datname FROM pg_database WHERE NOT datistemplate")]

    def _execute(self, statement: str, *names: str) -> list[Any]:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self._superuser.url, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
            return cursor.fetchall() if cursor.description else []


@contextmanager
def run_library_server() -> Iterator[LibraryServer]:
    """Run the server of the libraries for a block, and connect to the main database again at its end."""
    from heimdex.database.connection_info import ConnectionInfo
    from heimdex.database.server import EmbeddedServer

    main = ConnectionInfo.parse(os.environ["HEIMDEX_DATABASE_URL"])
    home = os.environ.get(LIBRARIES) or Path(os.environ["HEIMDEX_HOME"], "libraries")
    server = EmbeddedServer(Path(home))
    try:
        yield LibraryServer(server.start())
    finally:
        connect_to(main)
        server.stop()


def connect_to(database: "ConnectionInfo") -> None:
    """Let all threads of this process, and processes that it starts from now on, use a database."""
    from django.db import DEFAULT_DB_ALIAS, connection, connections

    with connection.cursor() as cursor:
        # Other threads would keep their connections. Now they notice that they have none, and connect again.
        cursor.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid != pg_backend_pid() AND backend_type = 'client backend'"""
        )
    connections.close_all()
    connections.settings[DEFAULT_DB_ALIAS].update(
        HOST=database.host, PORT=database.port, USER=database.user, PASSWORD=database.password, NAME=database.database
    )
    os.environ["HEIMDEX_DATABASE_URL"] = database.url


def reset_packing() -> None:
    """Delete all packed vectors, and let the next packing consider all vectors."""
    from django.db import transaction

    from videos.models import EmbeddingSpace, PackedSpace

    with transaction.atomic():
        PackedSpace.objects.all().delete()
        EmbeddingSpace.objects.update(packing_checked_to=0)


def count_scenes(sizes: Mapping[int, int]) -> int:
    """Return the number of scenes of a library. Pure."""
    return sum(size * owners for size, owners in sizes.items())


def name_library(sizes: Mapping[int, int], key: str) -> str:
    """Return the name of a library's database, which contains its size and the key of its content. Pure."""
    return f"library_{count_scenes(sizes)}_{key[:12]}"


def is_outdated(database: str, name: str) -> bool:
    """Return whether a database is of the same size as the library `name`, but with other content or unfinished. Pure."""
    return database != name and database.removeprefix("unfinished_").rpartition("_")[0] == name.rpartition("_")[0]


def _compute_key() -> str:
    """Return a key of what a library contains: of the code that fills it, and of the models and the words that it is made for."""
    import hashlib

    from heimdex.text_analysis import ANALYSIS_VERSION
    from reprocess.spec import get_effective_spec

    parts = [hash_sources(_ROW_SOURCES), str(ANALYSIS_VERSION), *sorted(get_effective_spec().fingerprints)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _pack(version: str) -> None:
    """Pack all vectors, from the beginning if another version of the code packed them. The database's comment has the version."""
    from django.db import connection

    from videos.search.packing import pack_large_spaces

    with connection.cursor() as cursor:
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()")
        if cursor.fetchone() != (version,):
            reset_packing()
            cursor.execute(f"COMMENT ON DATABASE {connection.settings_dict['NAME']} IS '{version}'")
        # Also what an interrupted benchmark has left.
        pack_large_spaces()
