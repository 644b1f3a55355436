import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from heimdex.database.address import Address, database_settings
from heimdex.database.record import Record, record_path, write_record
from heimdex.environment import Environment


def test_an_address_survives_the_way_through_its_url():
    address = Address("::1", 6543, "häns", "p@ss:w/ rd%", "my db", (("sslmode", "require"),))
    assert Address.parse(address.url) == address


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://u:p@host/name", "starts with 'mysql'"),
        ("postgres://u:p@host/", "database name is missing"),
        ("postgres:///name", "host is missing"),
        ("postgres://u:secret@host:12x/name", "port is no number"),
        ("nonsense", "no scheme"),
    ],
)
def test_a_wrong_url_is_refused_in_words_that_keep_the_password(url, problem):
    with pytest.raises(ImproperlyConfigured, match=problem) as failure:
        Address.parse(url)
    assert "secret" not in str(failure.value)


def test_a_wrong_url_ends_the_process_with_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="HEIMDEX_DATABASE_URL must look like"):
        database_settings(Environment(home=tmp_path, database_url="mysql://x"))


def test_the_url_goes_before_the_embedded_server(tmp_path):
    write_record(tmp_path, Record(5999, "secret", "heimdex", "heimdex", None))
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


def test_without_a_url_the_record_of_the_embedded_server_is_used(tmp_path):
    write_record(tmp_path, Record(5999, "secret", "heimdex", "heimdex", None))
    settings = database_settings(Environment(home=tmp_path, database_url=""))
    assert (settings["HOST"], settings["PORT"], settings["PASSWORD"]) == ("127.0.0.1", 5999, "secret")
    assert record_path(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "[]", '{"port": 1}', "{"])
def test_an_unreadable_record_counts_as_none(tmp_path, content):
    record_path(tmp_path).parent.mkdir()
    record_path(tmp_path).write_text(content)
    settings = database_settings(Environment(home=tmp_path, database_url=""))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"], connect_timeout=5)
    assert "manage.py up" in settings["NAME"]
