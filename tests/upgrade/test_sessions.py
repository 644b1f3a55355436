"""The sessions of an installation from before they had users survive the migration, its reversal, and the migration after that."""

from pathlib import Path

import psycopg
import pytest

from heimdex.database.server import EmbeddedServer
from tests.upgrade.test_recorded import run

pytestmark = pytest.mark.integration

LOG_IN = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from heimdex.accounts.models import User
user = User.objects.create_user("ann@example.com", "tiger lilies bloom")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.create()
print(session.session_key)
"""
USE = """
from django.contrib.auth import get_user
from django.http import HttpRequest
from heimdex.accounts.sessions import SessionStore
request = HttpRequest()
request.session = SessionStore("{key}")
print(get_user(request))
"""
OLD, NEW = ("SELECT session_key, session_data FROM " + table for table in ("django_session", "accounts_session"))


def test_nobody_is_logged_out(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, durable=False)
    try:
        url = server.start().url
        for app in (["sessions"], ["accounts", "0007"]):
            run("manage.py", "migrate", *app, "--noinput", home=tmp_path)
        key = run("manage.py", "shell", "--no-imports", "-c", LOG_IN, home=tmp_path).split()[-1]
        recorded = load(url, OLD)
        run("manage.py", "migrate", "accounts", "--noinput", home=tmp_path)
        copied = (load(url, OLD), load(url, f"{NEW} JOIN accounts_user ON user_id = id"))
        user = run("manage.py", "shell", "--no-imports", "-c", USE.format(key=key), home=tmp_path)
        run("manage.py", "migrate", "accounts", "0007", "--noinput", home=tmp_path)
        copied_back = load(url, OLD)
        run("manage.py", "migrate", "accounts", "--noinput", home=tmp_path)
        copied_again = load(url, NEW)
    finally:
        server.stop()
    assert len(recorded) == 1
    # Web servers of the previous release still read the old table during a rolling deploy.
    assert copied == (recorded, recorded)
    assert user.split()[-1] == "ann@example.com"
    assert copied_back == copied_again == recorded


def load(url: str, query: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        return [(str(key), str(data)) for key, data in connection.execute(query.encode())]
