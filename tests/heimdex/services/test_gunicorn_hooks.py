"""The start of the web service, and its work before the first request."""

import signal
import socket
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.conf import settings
from django.db import connection, transaction
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from tests.freezing import freeze
from tests.heimdex.web.service import run_web_service
from tests.library import make_user

pytestmark = [pytest.mark.usefixtures("django_db_setup", "packaged_models"), pytest.mark.integration]


def test_the_models_load_once_before_the_first_search_while_it_serves(tmp_path: Path) -> None:
    with run_web_service(tmp_path) as web:
        web.wait_until(web.is_healthy)
        assert "Search model loaded" not in web.log
        assert not web.is_ready()
        web.wait_until(lambda: web.log.count("Search model loaded") == 2)
        assert "all-MiniLM-L6-v2" in web.log
        web.wait_until(web.is_ready)
        assert web.is_healthy()


def test_it_stops_while_it_loads_models(tmp_path: Path) -> None:
    with run_web_service(tmp_path) as web:
        web.wait_until(web.is_healthy)
        web.process.send_signal(signal.SIGTERM)

        assert web.process.wait(10) == 0
        assert "Search model loaded" not in web.log
        assert "Traceback" not in web.log


def test_it_stops_although_a_request_waits_for_the_database(tmp_path: Path, transactional_db: None) -> None:
    token = RefreshToken.for_user(make_user()).access_token
    variables = {"HEIMDEX_SECRET_KEY": settings.SECRET_KEY}
    with run_web_service(tmp_path, **variables) as web, transaction.atomic(), connection.cursor() as cursor:
        web.wait_until(web.is_healthy)
        cursor.execute("LOCK TABLE videos_video IN ACCESS EXCLUSIVE MODE")
        with socket.create_connection(("127.0.0.1", web.port)) as client:
            client.sendall(f"GET /v1/videos HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            web.wait_until(is_anything_waiting)
            web.process.send_signal(signal.SIGTERM)

            # The statement is canceled after 30 s. The service does not wait for that.
            assert web.process.wait(20) == 0
    assert "Traceback" not in web.log


def test_requests_are_answered_although_the_servers_of_all_its_connections_hang(tmp_path: Path, transactional_db: None) -> None:
    token = RefreshToken.for_user(make_user()).access_token
    others = list_backends()
    with run_web_service(tmp_path, HEIMDEX_SECRET_KEY=settings.SECRET_KEY) as web:
        web.wait_until(web.is_healthy)
        assert get_status(web.port, token) == 200
        with freeze(list_backends() - others):
            # A check finds it, and a new connection is answered.
            assert get_status(web.port, token) == 200


def get_status(port: int, token: AccessToken) -> int:
    """Return the status of the answer to a request of an owner."""
    request = Request(f"http://127.0.0.1:{port}/v1/videos", headers={"Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=90) as answer:
        return int(answer.status)


def list_backends() -> set[int]:
    """Return the processes that serve the connections to the test's database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'")
        return {pid for (pid,) in cursor.fetchall()}


def is_anything_waiting() -> bool:
    """Return whether a statement waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_a_model_that_cannot_be_loaded_is_logged_and_the_service_continues(tmp_path: Path) -> None:
    with run_web_service(tmp_path, HEIMDEX_MODELS='{"text": {"model": "/nowhere"}}') as web:
        web.wait_until(lambda: "Search model loaded" in web.log)
        assert 'There is no directory /nowhere: correct "model" in HEIMDEX_MODELS.' in web.log
        assert "Traceback" not in web.log
        assert web.is_healthy()
