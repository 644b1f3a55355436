"""Who may register: everyone, invited people or nobody; and links that work once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.invitations import invite, sign_token
from heimdex.accounts.models import Invitation, User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD

URL, PAGE = "/v1/auth/register", "/accounts/register/"
BY_INVITATION = "This server accepts registrations by invitation only. Ask an administrator for a link."
CLOSED = "This server accepts no registrations. Ask an administrator for an account."
PASSWORDS = {"password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def by_invitation(db: None, settings: Settings) -> None:
    settings.REGISTRATION = "invite"


def register(token: str | None = None, email: str = EMAIL) -> Any:
    return APIClient().post(URL, {"email": email, "password": PASSWORD} | ({} if token is None else {"invitation": token}))


def read_token(link: str) -> str:
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return token


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "sentence"), [("invite", BY_INVITATION), ("closed", CLOSED)])
def test_nobody_registers_uninvited(settings: Settings, ann: User, mode: str, sentence: str) -> None:
    settings.REGISTRATION = mode
    for body in ({"email": "bob@example.com", "password": PASSWORD}, {"email": EMAIL, "password": "x"}, {}):
        # The same answer for an address that has an account: it must not tell strangers.
        refused = APIClient().post(URL, body)
        assert (refused.status_code, refused.json()) == (403, {"detail": sentence})
    for page in (Client().get(PAGE), Client().post(PAGE, {"email": "bob@example.com", **PASSWORDS})):
        assert page.status_code == 403
        assert sentence in page.content.decode()
    assert 'href="/accounts/register/"' not in Client().get("/accounts/login/").content.decode()
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_an_open_server_links_to_its_registration(settings: Settings) -> None:
    assert settings.REGISTRATION == "open"
    assert Client().get("/accounts/login/").content.decode().count('href="/accounts/register/"') == 2


@pytest.mark.usefixtures("by_invitation")
def test_an_invited_person_registers_on_the_page_once(browser: Client) -> None:
    call_command("invite", "Ann@Example.com")
    url = f"{PAGE}?token={sign_token(Invitation.objects.get())}"
    page = browser.get(url).content.decode()
    assert re.search(r'<input[^>]*value="ann@example.com"[^>]*disabled', page)
    form = {"name": "Ann", **PASSWORDS, "csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
    # The address of the invitation counts, whatever the form says.
    answer = browser.post(url, {"email": "bob@example.com", **form})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.get("/v1/auth/me").json()["email"] == EMAIL
    assert Invitation.objects.get().used_at
    again = Client().get(url)
    assert again.status_code == 403
    assert "This invitation has been used. Log in, or ask for a new one." in again.content.decode()


@pytest.mark.usefixtures("by_invitation")
def test_an_invited_person_registers_through_the_api_once() -> None:
    token = sign_token(invite(EMAIL))
    other = register(token, "bob@example.com")
    assert (other.status_code, other.json()) == (400, {"email": ["The invitation is for another address. Register with that address."]})
    assert register(token, "ANN@example.com").status_code == 201
    used = register(token, "bob@example.com")
    assert (used.status_code, used.json()) == (400, {"invitation": ["This invitation has been used. Log in, or ask for a new one."]})


@pytest.mark.usefixtures("by_invitation")
def test_a_link_expires_is_replaced_by_a_new_one_and_ends_when_it_is_deleted() -> None:
    first = invite(EMAIL)
    second = invite(EMAIL)
    assert timedelta(days=6, hours=23) < second.expires_at - timezone.now() <= timedelta(days=7)
    unknown = {"invitation": ["This invitation is not valid. Ask for a new one."]}
    assert register(sign_token(first)).json() == unknown
    Invitation.objects.update(expires_at=timezone.now())
    assert register(sign_token(second)).json() == {"invitation": ["This invitation has expired. Ask for a new one."]}
    Invitation.objects.all().delete()
    assert register(sign_token(second)).json() == unknown
    for forged in ("x", str(second.pk), sign_token(second)[:-1], "😀", "a" * 400):
        assert register(forged).json() == unknown
    assert register("a" * 4000).status_code == 400
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_link_works_on_an_open_server_and_not_on_a_closed_one(settings: Settings) -> None:
    token = sign_token(invite(EMAIL))
    settings.REGISTRATION = "closed"
    assert register(token).status_code == 403
    settings.REGISTRATION = "open"
    assert register(token).status_code == 201
    assert Invitation.objects.get().used_at


@pytest.mark.django_db(transaction=True)
def test_one_of_two_simultaneous_uses_wins(settings: Settings) -> None:
    settings.REGISTRATION = "invite"
    token = sign_token(invite(EMAIL))
    together = Barrier(4)

    def use(number: int) -> int:
        together.wait()
        url, body = (
            (f"{PAGE}?token={token}", PASSWORDS) if number % 2 else (URL, {"email": EMAIL, "password": PASSWORD, "invitation": token})
        )
        client = Client() if number % 2 else APIClient()
        status = client.post(url, body).status_code
        connection.close()
        return int(status)

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(use, range(4)))

    assert sum(status in (201, 302) for status in answers) == 1
    assert all(status in (200, 201, 302, 400, 403) for status in answers)
    assert User.objects.count() == 1


@pytest.mark.usefixtures("by_invitation")
def test_the_command_prints_the_link_and_names_the_fix(
    settings: Settings, ann: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENVIRONMENT, "public_url", "https://films.example.org/")
    call_command("invite", "bob@example.com")
    text = capsys.readouterr().out
    (link,) = re.findall(r"https://films\.example\.org/accounts/register/\?token=\S+", text)
    assert "once, until" in text
    assert register(read_token(link), "bob@example.com").status_code == 201
    for email, code, sentence in (
        (EMAIL, 1, "An account with this e-mail address already exists."),
        ("no address", 2, "“no address” is not an e-mail address."),
    ):
        with pytest.raises(CommandError, match=sentence) as raised:
            call_command("invite", email)
        assert raised.value.returncode == code
    settings.REGISTRATION = "closed"
    with pytest.raises(CommandError, match="Set HEIMDEX_REGISTRATION=invite first, or add the account in the admin"):
        call_command("invite", "carl@example.com")
    assert Invitation.objects.count() == 1


@pytest.mark.usefixtures("by_invitation")
def test_staff_invite_in_the_admin(client: Client, settings: Settings, ann: User) -> None:
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    client.force_login(root)
    added = client.post("/admin/accounts/invitation/add/", {"email": "Bob@example.com"})
    invitation = Invitation.objects.get()
    assert (added.status_code, added["Location"]) == (302, f"/admin/accounts/invitation/{invitation.pk}/change/")
    assert (invitation.email, invitation.invited_by) == ("bob@example.com", root)
    (link,) = re.findall(r'href="(/accounts/register/\?token=[^"]+)"', client.get(added["Location"]).content.decode())
    assert "open" in client.get("/admin/accounts/invitation/").content.decode()
    taken = client.post("/admin/accounts/invitation/add/", {"email": EMAIL})
    assert taken.context["adminform"].form.errors == {"email": ["An account with this e-mail address already exists."]}
    assert Client().post(link, PASSWORDS).status_code == 302
    page = client.get(added["Location"]).content.decode()
    assert "used" in page
    assert "token=" not in page
    settings.REGISTRATION = "closed"
    refused = client.post("/admin/accounts/invitation/add/", {"email": "carl@example.com"})
    assert "Set HEIMDEX_REGISTRATION=invite first" in refused.content.decode()


@pytest.mark.usefixtures("by_invitation")
def test_the_first_account_comes_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", email="root@example.com")
    assert APIClient().post("/v1/auth/login", {"email": "root@example.com", "password": PASSWORD}).status_code == 200
