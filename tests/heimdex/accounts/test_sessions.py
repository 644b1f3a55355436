"""Sessions name their user in a column, so that ending somebody's logins takes as many queries however many sessions there are."""

from datetime import timedelta
from importlib import import_module

from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore as OldSessionStore
from django.contrib.sessions.models import Session as OldSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.accounts.access import EndedLogins, end_logins
from heimdex.accounts.models import Session, User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD


def list_users() -> list[str | None]:
    return [session.user and session.user.email for session in Session.objects.select_related("user")]


def add_sessions_of_others(number: int) -> None:
    bob = User.objects.create_user(f"bob{number}@example.com", PASSWORD)
    expire_date = timezone.now() + timedelta(days=1)
    # Nothing may depend on their content.
    rows = [Session(session_key=f"{number}-{i}", session_data="damaged", expire_date=expire_date, user=bob) for i in range(number)]
    Session.objects.bulk_create(rows)


def test_a_session_has_its_user_from_login_to_logout(ann: User, browser: Client, api: APIClient) -> None:
    pages = Client()
    pages.get("/accounts/login/")
    pages.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    api.post("/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert list_users() == [EMAIL, EMAIL]
    pages.post("/accounts/logout/")
    assert list_users() == [EMAIL]


def test_the_session_of_somebody_who_is_not_logged_in_has_no_user(ann: User) -> None:
    client = Client()
    session = client.session
    session["theme"] = "dark"
    session.save()
    assert list_users() == [None]
    client.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    assert list_users() == [EMAIL]
    assert client.session["theme"] == "dark"


def test_ending_logins_takes_as_many_queries_with_many_sessions(ann: User) -> None:
    queries = []
    for number in (1, 3000):
        add_sessions_of_others(number)
        client = Client()
        client.force_login(ann)
        with CaptureQueriesContext(connection) as context:
            assert end_logins(ann.pk) == EndedLogins(1, 0)
        queries.append([query["sql"] for query in context])
        assert client.get("/v1/auth/me").status_code == 401
    few, many = queries
    assert len(few) == len(many)
    (delete,) = [sql for sql in many if "DELETE" in sql and "accounts_session" in sql]
    assert "session_data" not in " ".join(many)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_session")
        cursor.execute(f"EXPLAIN {delete}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
    assert Session.objects.count() == 3001


def test_a_deleted_user_leaves_no_session(ann: User) -> None:
    client = Client()
    client.force_login(ann)
    ann.delete()
    assert not Session.objects.exists()
    assert client.get("/v1/auth/me").status_code == 401


def test_sessions_from_before_survive_the_migration_and_its_reversal(ann: User) -> None:
    migration = import_module("heimdex.accounts.migrations.0008_sessions")
    client = Client()
    client.force_login(ann)
    Session.objects.create(session_key="expired", session_data="", expire_date=timezone.now() - timedelta(days=1))
    anonymous = OldSessionStore()
    anonymous["theme"] = "dark"

    migration.copy_back(apps, None)

    assert OldSession.objects.count() == 1
    Session.objects.all().delete()
    anonymous.create()
    OldSession.objects.create(session_key="damaged", session_data="damaged", expire_date=timezone.now() + timedelta(days=1))
    gone = OldSessionStore()
    gone["_auth_user_id"] = "00000000-0000-0000-0000-000000000000"
    gone.create()

    migration.copy_forward(apps, None)

    assert client.get("/v1/auth/me").json()["email"] == EMAIL
    assert sorted(list_users(), key=str) == [None, EMAIL]
    # Web servers of the previous release still read them during a rolling deploy.
    assert OldSession.objects.count() == 4
    assert end_logins(ann.pk).sessions == 1
    assert client.get("/v1/auth/me").status_code == 401
