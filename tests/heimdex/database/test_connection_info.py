import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from heimdex.database.connection_info import ConnectionInfo, database_settings
from heimdex.database.state_file import EmbeddedServerState, server_state_path, write_server_state
from heimdex.environment import Environment


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
        database_settings(Environment(home=tmp_path, database_url="mysql://x"))


def test_the_url_takes_precedence_over_the_embedded_server(tmp_path):
    write_server_state(tmp_path, EmbeddedServerState(5999, "secret", "heimdex", "heimdex", None))
    settings = database_settings(Environment(home=tmp_path, database_url="postgresql://me:p%40ss@db.example/videos?sslmode=require"))
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
    settings = database_settings(Environment(home=tmp_path, database_url=""))
    assert (settings["HOST"], settings["PORT"], settings["PASSWORD"]) == ("127.0.0.1", 5999, "secret")
    assert server_state_path(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "[]", '{"port": 1}', "{"])
def test_an_invalid_state_file_is_ignored(tmp_path, content):
    server_state_path(tmp_path).parent.mkdir()
    server_state_path(tmp_path).write_text(content)
    settings = database_settings(Environment(home=tmp_path, database_url=""))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"], connect_timeout=5)
    assert "manage.py up" in settings["NAME"]
