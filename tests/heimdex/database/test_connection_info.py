import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from heimdex.database.connection_info import ConnectionInfo, build_database_settings, describe_database_error
from heimdex.database.server import EmbeddedServer
from heimdex.database.state_file import EmbeddedServerState, get_server_state_path, write_server_state
from heimdex.environment import Environment

ROOT = Path(__file__).resolve().parents[3]


def test_connection_info_round_trips_through_its_url():
    connection = ConnectionInfo("::1", 6543, "häns", "p@ss:w/ rd%", "my db", (("sslmode", "require"),))
    assert ConnectionInfo.parse(connection.url) == connection


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://u:p@host/name", "starts with 'mysql'"),
        ("postgres://u:p@host/", "database name is missing"),
        ("postgres:///name", "host is missing"),
        ("postgres://u:secret@host:12x/name", "port is not a number"),
        ("nonsense", "no scheme"),
    ],
)
def test_an_invalid_url_is_rejected_without_quoting_the_password(url, problem):
    with pytest.raises(ImproperlyConfigured, match=problem) as error:
        ConnectionInfo.parse(url)
    assert "secret" not in str(error.value)


def test_an_invalid_url_ends_the_process_with_a_message(tmp_path):
    with pytest.raises(SystemExit, match="HEIMDEX_DATABASE_URL must look like"):
        build_database_settings(Environment(home=tmp_path, database_url="mysql://x"))


def test_the_url_takes_precedence_over_the_embedded_server(tmp_path):
    write_server_state(tmp_path, EmbeddedServerState(5999, "secret", "heimdex", "heimdex", None))
    settings = build_database_settings(Environment(home=tmp_path, database_url="postgresql://me:p%40ss@db.example/videos?sslmode=require"))
    assert (settings["HOST"], settings["PORT"], settings["USER"], settings["PASSWORD"], settings["NAME"]) == (
        "db.example",
        5432,
        "me",
        "p@ss",
        "videos",
    )
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert settings["CONN_MAX_AGE"] is None
    assert settings["CONN_HEALTH_CHECKS"] is True


def test_without_a_url_the_state_file_of_the_embedded_server_is_used(tmp_path):
    write_server_state(tmp_path, EmbeddedServerState(5999, "secret", "heimdex", "heimdex", None))
    settings = build_database_settings(Environment(home=tmp_path, database_url=""))
    assert (settings["HOST"], settings["PORT"], settings["PASSWORD"]) == ("127.0.0.1", 5999, "secret")
    assert get_server_state_path(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "[]", '{"port": 1}', "{"])
def test_an_invalid_state_file_is_ignored(tmp_path, content):
    get_server_state_path(tmp_path).parent.mkdir()
    get_server_state_path(tmp_path).write_text(content)
    settings = build_database_settings(Environment(home=tmp_path, database_url=""))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"], connect_timeout=5)
    assert "manage.py up" in settings["NAME"]


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")}
    environment |= {"HEIMDEX_HOME": str(home), **variables}
    return subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.integration
def test_a_command_names_the_fix_when_the_database_was_stopped(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, durable=False)
    url = server.start().url
    server.stop()
    for home in (tmp_path, tmp_path / "never-started"):
        ended = run(home, "reprocess_runs", "list")
        assert (ended.returncode, ended.stderr) == (1, "Heimdex is not running. Start it with: make up\n")
    ended = run(tmp_path, "showmigrations", HEIMDEX_DATABASE_URL=url)
    assert ended.returncode == 1
    (message,) = ended.stderr.splitlines()
    assert "cannot be reached" in message
    assert "Connection refused" in message
    assert "Start it, or correct HEIMDEX_DATABASE_URL." in message
    assert "Traceback" in run(tmp_path, "reprocess_runs", "list", "--traceback").stderr


@pytest.mark.integration
def test_a_wrong_password_a_wrong_name_and_missing_tables_are_reported(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, durable=False)
    connection = server.start()
    try:
        wrong = run(tmp_path, "showmigrations", HEIMDEX_DATABASE_URL=connection.url.replace(connection.password, "wrong"))
        assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
        assert "password authentication failed" in wrong.stderr
        absent = run(tmp_path, "showmigrations", HEIMDEX_DATABASE_URL=connection.url.rpartition("/")[0] + "/absent")
        assert 'database "absent" does not exist' in absent.stderr
        # psycopg reports other faults than an absent server without an SQLSTATE too.
        running = build_database_settings(Environment(home=tmp_path, database_url=""))
        assert "too many parameters" in describe_database_error(OperationalError("too many parameters"), running, is_embedded=True)
        empty = run(tmp_path, "reprocess_runs", "list")
        assert (empty.returncode, len(empty.stderr.splitlines())) == (1, 1)
        assert "Run `python manage.py migrate`" in empty.stderr
    finally:
        server.stop()
