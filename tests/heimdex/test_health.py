"""The health checks that load balancers act on."""

from threading import Event
from unittest import mock

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from heimdex import readiness
from heimdex.redis_broker import RedisBroker
from tests.freezing import freeze


@pytest.mark.django_db(transaction=True)
def test_health_follows_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = client.get("/healthz")
    assert (healthy.status_code, healthy.json()) == (200, {"status": "ok", "database": "ok", "queue": "ok"})
    assert not healthy.cookies

    with monkeypatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "PORT", 1)
        unhealthy = client.get("/healthz")
    assert (unhealthy.status_code, unhealthy.json()) == (503, {"status": "unavailable", "database": "unreachable", "queue": "unreachable"})

    assert client.get("/healthz").status_code == 200


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has just started."""
    monkeypatch.setattr(readiness, "_are_models_loaded", Event())
    monkeypatch.setattr(readiness, "_is_migrated", Event())


@pytest.mark.django_db
@pytest.mark.usefixtures("started")
def test_a_process_is_ready_when_its_search_models_are_loaded(client: Client) -> None:
    loading = client.get("/health/ready")
    assert (loading.status_code, loading.json()) == (503, {"status": "unavailable", "missing": ["The search models are being loaded."]})
    assert loading.headers["Cache-Control"].startswith("max-age=0")

    readiness.load_search_models()

    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "missing": []})
    assert not ready.cookies


@pytest.mark.django_db
@pytest.mark.usefixtures("started")
def test_a_process_is_not_ready_before_the_database_has_its_migrations(client: Client) -> None:
    readiness._are_models_loaded.set()
    recorder = MigrationRecorder(connection)
    app, name = max(key for key in recorder.applied_migrations() if key[0] == "reprocess")
    recorder.record_unapplied(app, name)
    old = client.get("/health/ready")
    assert (old.status_code, old.json()["missing"]) == (503, ["The database is older than this code: run `manage.py migrate`."])
    recorder.record_applied(app, name)
    assert client.get("/health/ready").status_code == 200
    # During a later upgrade the database is newer, and this process serves until it is stopped.
    recorder.record_applied(app, "9999_of_the_next_release")
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("started")
def test_a_process_is_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "PORT", 1)
        away = client.get("/health/ready")
    assert (away.status_code, away.json()["missing"]) == (503, ["The database cannot be reached."])


@pytest.mark.django_db
def test_readiness_does_not_ask_the_queue(client: Client, settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with mock.patch.object(RedisBroker, "ping") as ping:
        client.get("/health/ready")
    assert not ping.called


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/healthz", "/health/ready"])
def test_a_frozen_connection_does_not_keep_a_check_waiting(client: Client, path: str) -> None:
    # Its kernel goes on acknowledging, so that no time-out of TCP applies.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    with freeze([backend]):
        answer = client.get(path)
    # Another connection is answered.
    assert readiness.DATABASE_AWAY not in answer.json().get("missing", [])
    assert answer.json().get("database", "ok") == "ok"
