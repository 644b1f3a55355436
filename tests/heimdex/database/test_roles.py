"""The application's role in the embedded database: what it can do, what it cannot, and how existing installations get it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from heimdex.database.connection_info import ConnectionInfo, changes_schema, read_embedded_connection
from heimdex.database.roles import APPLICATION_ROLE
from heimdex.database.server import EmbeddedServer
from heimdex.database.state_file import get_server_state_path

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[3]

FORBIDDEN = (
    "CREATE ROLE other",
    "CREATE DATABASE other",
    f"ALTER ROLE {APPLICATION_ROLE} SUPERUSER",
    "SET ROLE heimdex",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/file'",
    "CREATE FUNCTION system(cstring) RETURNS int AS 'libc.so.6', 'system' LANGUAGE C",
    "CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE plpgsql AS 'BEGIN ALTER ROLE heimdex_app SUPERUSER; RETURN 1; END'",
    "CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    "DO 'BEGIN PERFORM 1; END'",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "DROP TABLE videos_video",
    "TRUNCATE accounts_user CASCADE",
    "ALTER TABLE accounts_user ADD COLUMN secret text",
    "CREATE TRIGGER t BEFORE INSERT ON accounts_user FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "DELETE FROM django_migrations",
)


def manage(home: Path, *arguments: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")}
    environment |= {"HEIMDEX_HOME": str(home), **variables}
    ended = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def read_connection(home: Path) -> ConnectionInfo:
    connection = read_embedded_connection(home)
    assert connection
    return connection


def query(connection: ConnectionInfo, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(connection.url, autocommit=True) as session:
        cursor = session.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path, durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def migrated(server: EmbeddedServer) -> EmbeddedServer:
    """Return a server with the tables of today, which the command `migrate` has created."""
    manage(server.home, "migrate", "--noinput")
    return server


def test_the_role_reads_and_writes_rows_and_does_nothing_else(migrated: EmbeddedServer) -> None:
    application = read_connection(migrated.home)
    assert application.user == APPLICATION_ROLE
    assert query(application, "SELECT count(*) FROM accounts_user") == [(0,)]
    query(application, "INSERT INTO accounts_ratelimit (key, due_at) VALUES ('a', now())")
    query(application, "UPDATE accounts_ratelimit SET due_at = now()")
    query(application, "DELETE FROM accounts_ratelimit")
    query(application, "CREATE INDEX CONCURRENTLY hnsw_test ON videos_sceneembedding ((id))")
    query(application, "DROP INDEX CONCURRENTLY hnsw_test")
    allowed = []
    for statement in FORBIDDEN:
        try:
            query(application, statement)
        except psycopg.errors.InsufficientPrivilege:
            continue
        allowed.append(statement)
    assert allowed == []
    assert "W015" not in manage(migrated.home, "check", "--deploy")


def test_tables_of_later_migrations_are_granted(migrated: EmbeddedServer) -> None:
    superuser = migrated.start()
    query(superuser, "CREATE TABLE later (id serial)")

    assert query(read_connection(migrated.home), "INSERT INTO later DEFAULT VALUES RETURNING id") == [(1,)]


def test_the_documented_roles_of_another_server_migrate_and_work(server: EmbeddedServer) -> None:
    superuser = replace(server.start(), database="postgres")
    query(superuser, "DROP DATABASE heimdex")
    query(superuser, f"DROP ROLE {APPLICATION_ROLE}")
    guide = (ROOT / "docs/how-to/run-on-many-machines.md").read_text()
    before, after = re.findall(r"```sql\n(.*?)```", guide, re.DOTALL)[0].split("\\connect heimdex")
    for statement in before.strip().splitlines():
        query(superuser, statement)
    query(replace(superuser, database="heimdex"), after)
    owner, application = (
        replace(superuser, database="heimdex", user=user, password=password)
        for user, password in re.findall(r"CREATE ROLE (\w+) LOGIN PASSWORD '(.*)'", before)
    )

    manage(server.home, "migrate", "--noinput", HEIMDEX_DATABASE_URL=owner.url)

    assert query(application, "SELECT count(*) FROM accounts_user") == [(0,)]
    query(application, "CREATE INDEX CONCURRENTLY hnsw_test ON videos_sceneembedding ((id))")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(application, "DROP TABLE videos_video CASCADE")
    assert "W015" not in manage(server.home, "check", "--deploy", HEIMDEX_DATABASE_URL=application.url)
    # Rights of the table that the application owns are granted again, too.
    manage(server.home, "migrate", "reprocess", "0008", "--noinput", HEIMDEX_DATABASE_URL=owner.url)
    manage(server.home, "migrate", "--noinput", HEIMDEX_DATABASE_URL=owner.url)


@pytest.mark.parametrize("running", [True, False])
def test_an_existing_installation_is_converted_at_the_next_start(migrated: EmbeddedServer, running: bool) -> None:
    superuser = migrated.start()
    query(superuser, "INSERT INTO accounts_ratelimit (key, due_at) VALUES ('kept', now())")
    # As the version before left it: no role, and a state file without its password.
    query(superuser, f"REASSIGN OWNED BY {APPLICATION_ROLE} TO heimdex")
    query(superuser, f"DROP OWNED BY {APPLICATION_ROLE}")
    query(superuser, f"DROP ROLE {APPLICATION_ROLE}")
    state_file = get_server_state_path(migrated.home)
    state = json.loads(state_file.read_text())
    del state["application_password"]
    state_file.write_text(json.dumps(state))
    assert "W015" in manage(migrated.home, "check", "--deploy")
    if not running:
        migrated.stop()

    assert migrated.start() == superuser

    application = read_connection(migrated.home)
    assert (application.user, application.port) == (APPLICATION_ROLE, superuser.port)
    assert query(application, "SELECT key FROM accounts_ratelimit") == [("kept",)]
    query(application, "CREATE INDEX hnsw_test ON videos_sceneembedding ((id))")


def test_rights_that_somebody_added_are_taken_back(migrated: EmbeddedServer) -> None:
    query(migrated.start(), f"ALTER ROLE {APPLICATION_ROLE} SUPERUSER CREATEROLE")
    migrated.stop()
    migrated.start()
    sql = f"SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}'"
    assert query(read_connection(migrated.home), sql) == [(False, False)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["manage.py", "migrate"], True), (["manage.py", "work", "migrate"], False), (["gunicorn"], False), (["manage.py"], False)],
)
def test_only_commands_that_change_tables_are_superusers(arguments: list[str], expected: bool) -> None:
    assert changes_schema(arguments) is expected
