"""E-mails about accounts, sent to a real SMTP server: the confirmation of an address, and invitations."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any
from unittest import mock

import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import Invitation, User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD
from tests.heimdex.storage.seaweed import find_free_ports

SITE = "https://films.example.org"
UNCONFIRMED = "Confirm your e-mail address first: open the link in our e-mail. If you have none, register again to get a new one."
NOT_SENT = "The e-mail could not be sent, so nothing was changed."
OTHER_PASSWORD = "crocus and snowdrop"


class Inbox:
    """Receives e-mails. `answer` is the server's response to each."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer

    def take_link(self) -> str:
        """Return the path of the link in the only e-mail, and empty the inbox."""
        (mail,) = self.mails
        self.mails.clear()
        (path,) = re.findall(rf"{SITE}(/accounts/\w+/\?token=\S+)", mail.get_content())
        return path


@pytest.fixture
def inbox(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """Return the inbox of the mail server that the installation uses."""
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=find_free_ports(1)[0])
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
    settings.DEFAULT_FROM_EMAIL = "Heimdex <films@example.org>"
    for name, value in (("email_url", f"smtp://127.0.0.1:{settings.EMAIL_PORT}"), ("public_url", SITE)):
        monkeypatch.setattr(settings.ENVIRONMENT, name, value)
    yield inbox
    server.stop()


def register(email: str = EMAIL, password: str = PASSWORD) -> Any:
    return APIClient().post("/v1/auth/register", {"email": email, "password": password})


def log_in(password: str = PASSWORD) -> list[Any]:
    """Return the answers to a session login, a token login, and the two login pages."""
    api = [APIClient().post(f"/v1/auth/{kind}", {"email": EMAIL, "password": password}) for kind in ("login", "token")]
    return api + [Client().post(path, {"username": EMAIL, "password": password}) for path in ("/accounts/login/", "/admin/login/")]


def test_a_new_account_is_locked_until_its_address_is_confirmed(inbox: Inbox) -> None:
    page = Client().post("/accounts/register/", {"email": "Ann@Example.com", "password1": PASSWORD, "password2": PASSWORD})
    assert "We have sent a link to ann@example.com" in page.content.decode()
    (mail,) = inbox.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == ("Heimdex <films@example.org>", EMAIL, "Confirm your e-mail address")
    link = inbox.take_link()
    session, token, login_page, admin_page = log_in()
    assert [(answer.status_code, answer.json()) for answer in (session, token)] == [(401, {"detail": UNCONFIRMED})] * 2
    assert UNCONFIRMED in login_page.content.decode()
    assert UNCONFIRMED in admin_page.content.decode()

    browser = Client(enforce_csrf_checks=True)
    shown = browser.get(link).content.decode()
    assert re.search(rf'<input[^>]*value="{EMAIL}"[^>]*disabled', shown)
    # To open the link is not enough, as programs that check links do.
    assert not User.objects.get().is_email_confirmed
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
    wrong = browser.post(link, {"password": OTHER_PASSWORD, **form})
    assert "Enter the password that you chose when you registered." in wrong.content.decode()
    done = browser.post(link, {"password": PASSWORD, **form})

    assert (done.status_code, done["Location"]) == (302, "/")
    assert browser.get("/v1/auth/me").json()["email"] == EMAIL
    assert [answer.status_code for answer in log_in()[:3]] == [200, 200, 302]
    used = Client().get(link)
    assert used.status_code == 403
    assert "This link has been used, has expired or is not valid." in used.content.decode()


def test_the_owner_of_an_address_registers_although_a_stranger_was_first(inbox: Inbox) -> None:
    assert register(password=OTHER_PASSWORD).status_code == 201
    strangers = inbox.take_link()
    assert register().status_code == 201
    assert User.objects.count() == 1
    assert Client().post(strangers, {"password": OTHER_PASSWORD}).status_code == 200
    assert Client().post(inbox.take_link(), {"password": PASSWORD}).status_code == 302
    assert register().json() == {"email": ["An account with this e-mail address already exists."]}
    page = Client().post("/accounts/register/", {"email": EMAIL, "password1": PASSWORD, "password2": PASSWORD})
    assert "An account with this e-mail address already exists." in page.content.decode()
    assert not inbox.mails


def test_a_link_expires_and_a_forged_one_does_nothing(inbox: Inbox) -> None:
    register()
    link = inbox.take_link()
    for forged in ("/accounts/confirm/", "/accounts/confirm/?token=x", link[:-1]):
        assert Client().post(forged, {"password": PASSWORD}).status_code == 403
    with mock.patch("django.core.signing.time.time", return_value=(timezone.now() + timedelta(days=3, seconds=2)).timestamp()):
        assert Client().post(link, {"password": PASSWORD}).status_code == 403
    assert not User.objects.get().is_email_confirmed


def test_an_address_gets_a_limited_number_of_emails(inbox: Inbox, settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "confirmation": "2/day"}
    assert [register(password=f"{PASSWORD} {number}").status_code for number in range(3)] == [201, 201, 429]
    assert len(inbox.mails) == 2
    # What was refused has changed nothing.
    assert User.objects.get().check_password(f"{PASSWORD} 1")


def test_a_mail_server_that_fails_changes_nothing_and_is_explained(inbox: Inbox, settings: Settings) -> None:
    inbox.answer = "554 No"
    refused = register()
    assert (refused.status_code, refused.json()["detail"][:53]) == (503, NOT_SENT)
    page = Client().post("/accounts/register/", {"email": EMAIL, "password1": PASSWORD, "password2": PASSWORD})
    assert NOT_SENT in page.content.decode()
    with pytest.raises(CommandError, match=NOT_SENT):
        call_command("invite", "bob@example.com")
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    page = client.post("/admin/accounts/invitation/add/", {"email": "bob@example.com"}, follow=True)
    assert NOT_SENT in page.content.decode()
    # Nothing listens there.
    settings.EMAIL_PORT = 1
    assert register().status_code == 503
    assert (User.objects.count(), Invitation.objects.count()) == (1, 0)


def test_an_invitation_is_sent_and_its_address_needs_no_other_confirmation(
    inbox: Inbox, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRATION = "invite"
    call_command("invite", EMAIL)
    assert f"An e-mail with the link was sent to {EMAIL}." in capsys.readouterr().out
    assert inbox.mails[0]["Subject"] == "You are invited to Heimdex"
    assert Client().post(inbox.take_link(), {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert not inbox.mails
    assert log_in()[0].status_code == 200


def test_an_address_that_was_never_confirmed_can_be_invited(inbox: Inbox) -> None:
    register(password=OTHER_PASSWORD)
    inbox.mails.clear()
    call_command("invite", EMAIL)
    assert Client().post(inbox.take_link(), {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert [log_in(password)[0].status_code for password in (OTHER_PASSWORD, PASSWORD)] == [401, 200]


def test_accounts_of_administrators_need_no_confirmation(inbox: Inbox) -> None:
    User.objects.create_superuser(EMAIL, PASSWORD)
    assert [answer.status_code for answer in log_in()] == [200, 200, 302, 302]
    assert not inbox.mails
