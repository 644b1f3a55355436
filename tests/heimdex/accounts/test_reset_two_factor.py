"""An admin, or the operator on the command line, resets second factors that were lost."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.accounts.two_factor import has_two_factor
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD
from tests.heimdex.accounts.second_factors import is_logged_in, log_in, plant_passkey, turn_on

USERS = "/admin/accounts/user/"


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    return client


def test_an_admin_resets_the_second_factors_of_an_account(root: Client, client: Client, api: APIClient, ann: User) -> None:
    secret, codes = turn_on(ann)
    log_in(client, ann, secret)
    pair = api.post("/v1/auth/token", {"email": EMAIL, "password": PASSWORD, "code": codes[0]}).json()
    bob = User.objects.create_user("bob@example.com", PASSWORD)
    assert '<div class="readonly">on</div>' in root.get(f"{USERS}{ann.pk}/change/").content.decode()

    action = {"action": "reset_two_factor_of_users", "_selected_action": [str(ann.pk), str(bob.pk)]}
    page = root.post(USERS, action, follow=True).content.decode()

    assert "Two-factor authentication of 1 account was turned off, and their logins were ended." in page
    assert not Authenticator.objects.exists()
    assert not is_logged_in(client)
    assert api.post("/v1/auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert [(entry.object_id, entry.get_change_message()) for entry in LogEntry.objects.all()] == [
        (str(ann.pk), "Reset two-factor authentication.")
    ]
    assert api.post("/v1/auth/token", {"email": EMAIL, "password": PASSWORD}).status_code == 200


def test_admins_cannot_reset_their_own(root: Client) -> None:
    user = User.objects.get()
    plant_passkey(user, "Blue key")
    page = root.post(USERS, {"action": "reset_two_factor_of_users", "_selected_action": [str(user.pk)]}, follow=True)
    assert "You cannot reset your own." in page.content.decode()
    assert has_two_factor(user)


def test_staff_without_the_permission_cannot_reset(client: Client, ann: User) -> None:
    turn_on(ann)
    client.force_login(User.objects.create_user("staff@example.com", PASSWORD, is_staff=True))
    action = {"action": "reset_two_factor_of_users", "_selected_action": [str(ann.pk)]}
    assert client.post(USERS, action).status_code == 403
    assert has_two_factor(ann)


def test_staff_cannot_reset_those_of_other_staff(client: Client, db: None) -> None:
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    plant_passkey(root, "Blue key")
    editor = User.objects.create_user("editor@example.com", PASSWORD, is_staff=True)
    editor.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(editor)
    action = {"action": "reset_two_factor_of_users", "_selected_action": [str(root.pk)]}
    assert "Only superusers may change accounts of staff." in client.post(USERS, action, follow=True).content.decode()
    assert has_two_factor(root)


def test_the_admin_site_has_no_pages_of_second_factors() -> None:
    assert not [model for model in admin.site._registry if model.__module__.startswith("allauth")]


def test_the_operator_resets_the_second_factors_of_an_account(client: Client, ann: User) -> None:
    secret, _ = turn_on(ann)
    log_in(client, ann, secret)
    output = StringIO()
    call_command("reset_two_factor", "Ann@Example.com", stdout=output)
    assert output.getvalue() == "Two-factor authentication of ann@example.com is off, and all logins of the account were ended.\n"
    assert not has_two_factor(ann)
    assert not is_logged_in(client)

    output = StringIO()
    call_command("reset_two_factor", EMAIL, stdout=output)
    assert output.getvalue() == "Two-factor authentication of ann@example.com was off already. Nothing was changed.\n"


@pytest.mark.django_db
def test_an_unknown_account_is_wrong_usage() -> None:
    with pytest.raises(CommandError, match="No account has the e-mail address") as error:
        call_command("reset_two_factor", "nobody@example.com")
    assert error.value.returncode == 2
