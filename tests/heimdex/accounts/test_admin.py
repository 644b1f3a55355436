"""Users in the admin and on the command line."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken

from heimdex.accounts.models import User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD
from tests.library import make_video


@pytest.fixture
def staff_client(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    return client


def test_staff_create_find_change_and_deactivate_an_account(staff_client: Client) -> None:
    new = {"email": "Ann@Example.com", "name": "Ann", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert staff_client.post("/admin/accounts/user/add/", new).status_code == 302
    ann = User.objects.get(email=EMAIL)
    assert ann.check_password(PASSWORD)

    assert EMAIL in staff_client.get("/admin/accounts/user/?q=ann").content.decode()
    assert str(ann.pk) in staff_client.get(f"/admin/accounts/user/{ann.pk}/change/").content.decode()

    changed = staff_client.post(f"/admin/accounts/user/{ann.pk}/change/", {"email": EMAIL, "name": "Ann Other"})
    assert changed.status_code == 302
    ann.refresh_from_db()
    assert (ann.name, ann.is_active, ann.check_password(PASSWORD)) == ("Ann Other", False, True)


def test_staff_set_a_password(staff_client: Client, ann: User) -> None:
    new = {"usable_password": "true", "password1": "a different long secret", "password2": "a different long secret"}

    assert staff_client.post(f"/admin/accounts/user/{ann.pk}/password/", new).status_code == 302

    ann.refresh_from_db()
    assert ann.check_password("a different long secret")


def test_a_taken_address_is_reported_at_its_field(staff_client: Client, ann: User) -> None:
    new = {"email": "ANN@example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    answer = staff_client.post("/admin/accounts/user/add/", new)

    assert answer.context["adminform"].form.errors == {"email": ["An account with this e-mail address already exists."]}


@pytest.mark.django_db
def test_wrong_credentials_are_reported_on_the_admins_login_page(client: Client) -> None:
    answer = client.post("/admin/login/", {"username": EMAIL, "password": "wrong"})
    assert "Enter the right e-mail address and password of a staff account." in answer.content.decode()


@pytest.mark.django_db
def test_the_command_creates_a_superuser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--noinput", email="Root@Example.com")

    assert User.objects.get(email="root@example.com").is_superuser


def test_staff_see_the_usage_of_an_account_and_set_its_quota(staff_client: Client, ann: User) -> None:
    url = f"/admin/accounts/user/{ann.pk}/change/"
    make_video(ann)
    assert "In use: 1\xa0byte, 0 minutes of video." in staff_client.get(url).content.decode()

    quota = {"max_bytes": 2048, "max_minutes": 90}
    assert staff_client.post(url, {"email": EMAIL, "name": "Ann", "is_active": "on", **quota}).status_code == 302

    ann.refresh_from_db()
    assert (ann.max_bytes, ann.max_minutes) == (2048, 90)
    assert "In use: 1\xa0byte of 2.0\xa0KB, 0 of 90 minutes of video." in staff_client.get(url).content.decode()


def test_no_page_shows_a_refresh_token(staff_client: Client, ann: User) -> None:
    """Whoever has one is its user, for two weeks."""
    token = RefreshToken.for_user(ann)
    token.blacklist()
    for model in ("outstandingtoken", "blacklistedtoken"):
        base = f"/admin/token_blacklist/{model}/"
        pk = apps.get_model("token_blacklist", model).objects.get().pk
        for url in (base, f"{base}{pk}/change/", f"{base}{pk}/history/", f"{base}?q={token['jti']}"):
            page = staff_client.get(url)
            assert page.status_code == 200, url
            assert str(token) not in page.content.decode(), url
        assert EMAIL in staff_client.get(base).content.decode()


@pytest.fixture
def editor(client: Client, db: None) -> User:
    """A staff member who may change accounts, logged in."""
    editor = User.objects.create_user("editor@example.com", PASSWORD, is_staff=True)
    editor.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "add_user", "change_user", "delete_user", "view_outstandingtoken"])
    )
    client.force_login(editor)
    return editor


def test_staff_cannot_give_themselves_rights(client: Client, editor: User) -> None:
    form = {"email": editor.email, "name": "Editor", "is_active": "on", "is_email_confirmed": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(f"/admin/accounts/user/{editor.pk}/change/", form).status_code == 302
    editor.refresh_from_db()
    assert (editor.name, editor.is_staff, editor.is_superuser) == ("Editor", True, False)


def test_staff_cannot_change_accounts_with_other_rights(client: Client, editor: User) -> None:
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    new = {"usable_password": "true", "password1": "a different long secret", "password2": "a different long secret"}
    assert client.post(f"/admin/accounts/user/{root.pk}/password/", new).status_code == 403
    assert client.post(f"/admin/accounts/user/{root.pk}/change/", {"email": "mine@example.com"}).status_code == 403
    assert client.post(f"/admin/accounts/user/{root.pk}/delete/", {"post": "yes"}).status_code == 403
    for action in ("lock_accounts", "end_logins_of_users", "delete_selected"):
        answer = client.post("/admin/accounts/user/", {"action": action, "_selected_action": [str(root.pk)], "post": "yes"}, follow=True)
        assert "ended" not in answer.content.decode() or "Only superusers" in answer.content.decode()
    root.refresh_from_db()
    assert (root.is_active, root.email, root.check_password(PASSWORD)) == (True, "root@example.com", True)


def test_staff_still_change_and_lock_ordinary_accounts(client: Client, editor: User, ann: User) -> None:
    assert client.post(f"/admin/accounts/user/{ann.pk}/change/", {"email": EMAIL, "name": "Ann Other"}).status_code == 302
    ann.refresh_from_db()
    assert (ann.name, ann.is_active) == ("Ann Other", False)


def test_refresh_tokens_cannot_be_found_out_by_filters(client: Client, editor: User, ann: User) -> None:
    RefreshToken.for_user(ann)
    page = "/admin/token_blacklist/outstandingtoken/"
    assert client.get(page).status_code == 200
    for lookup in ("token__startswith=e", "token__regex=^e", "token=e"):
        assert client.get(f"{page}?{lookup}").status_code in (302, 400)
