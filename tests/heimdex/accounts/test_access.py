"""An admin ends the logins of a user, or locks the account: sessions and tokens stop working at once, and do not come back."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD

USERS = "/admin/accounts/user/"
OTHER = "bob@example.com"


class Logins:
    """A browser and a program that are logged in as one user."""

    def __init__(self, email: str) -> None:
        self.browser, self.program = Client(), APIClient()
        assert self.browser.post("/accounts/login/", {"username": email, "password": PASSWORD}).status_code == 302
        self.tokens = [self.program.post("/v1/auth/token", {"email": email, "password": PASSWORD}).json() for _ in range(2)]

    def list_working(self) -> list[str]:
        """Return what still works. Refresh tokens are used up."""
        works = {"session": self.browser.get("/v1/auth/me").status_code == 200}
        for number, pair in enumerate(self.tokens):
            works[f"refresh {number}"] = self.program.post("/v1/auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 200
        return [name for name, is_working in works.items() if is_working]

    def is_access_token_valid(self) -> bool:
        return self.program.get("/v1/auth/me", headers={"Authorization": f"Bearer {self.tokens[0]['access']}"}).status_code == 200


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    return client


def run_action(client: Client, name: str, *users: User) -> str:
    answer = client.post(USERS, {"action": name, "_selected_action": [str(user.pk) for user in users]}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def clear_active(client: Client, user: User) -> None:
    assert client.post(f"{USERS}{user.pk}/change/", {"email": user.email, "name": user.name}).status_code == 302


def lock(client: Client, user: User) -> None:
    assert "1 account was locked" in run_action(client, "lock_accounts", user)


@pytest.mark.parametrize("disable", [clear_active, lock])
def test_a_locked_account_loses_its_logins_for_good(admin: Client, ann: User, disable: Callable[[Client, User], None]) -> None:
    logins = Logins(EMAIL)

    disable(admin, ann)

    ann.refresh_from_db()
    assert not ann.is_active
    assert not logins.is_access_token_valid()
    User.objects.update(is_active=True)
    assert logins.list_working() == []


def test_ended_logins_stop_working_and_the_user_can_log_in_again(admin: Client, ann: User) -> None:
    bob = User.objects.create_user(OTHER, PASSWORD)
    mine, theirs = Logins(EMAIL), Logins(bob.email)

    shown = run_action(admin, "end_logins_of_users", ann)

    assert "1 session and 2 refresh tokens" in shown
    assert mine.list_working() == []
    assert len(theirs.list_working()) == 3
    assert len(Logins(EMAIL).list_working()) == 3


def test_nobody_locks_their_own_account(admin: Client) -> None:
    shown = run_action(admin, "lock_accounts", User.objects.get(email="root@example.com"))

    assert "You cannot lock your own account" in shown
    assert User.objects.get(email="root@example.com").is_active


def test_staff_without_the_right_to_change_users_end_no_logins(ann: User) -> None:
    staff = User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_user"))
    client, logins = Client(), Logins(EMAIL)
    client.force_login(staff)

    for action in ("lock_accounts", "end_logins_of_users"):
        run_action(client, action, ann)

    assert len(logins.list_working()) == 3
