"""A forgotten password is replaced by a link in an e-mail, sent to a real SMTP server. Nothing tells which addresses have accounts."""

import re
from datetime import datetime, timedelta
from unittest import mock

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import PasswordReset, User
from heimdex.accounts.password_reset import NO_EMAILS
from heimdex.accounts.tasks import send_password_resets
from heimdex.redaction import redact_text
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD
from tests.heimdex.accounts.test_access import Logins
from tests.heimdex.accounts.test_confirmation import SITE, Inbox, inbox

__all__ = ["inbox"]
NEW_PASSWORD = "crocus and snowdrop"
RESET, CONFIRM = "/v1/auth/password/reset", "/v1/auth/password/reset/confirm"
PAGE = "/accounts/password/reset/"
NOT_VALID = "This link has been used, has expired or is not valid. Ask for a new one."


def ask(email: str = EMAIL) -> int:
    return APIClient().post(RESET, {"email": email}).status_code


def take_link(inbox: Inbox, email: str = EMAIL) -> str:
    """Ask for a link, and return its path."""
    assert ask(email) == 202
    send_password_resets()
    (mail,) = inbox.mails
    inbox.mails.clear()
    assert (mail["To"], mail["Subject"]) == (email.lower(), "Choose a new password")
    (path,) = re.findall(rf"{SITE}(/accounts/password/reset/confirm/\?token=\S+)", mail.get_content())
    return path


def get_token(link: str) -> str:
    return link.partition("token=")[2]


def can_log_in(password: str) -> bool:
    return APIClient().post("/v1/auth/token", {"email": EMAIL, "password": password}).status_code == 200


def test_a_new_password_ends_all_logins_and_does_not_log_in(ann: User, inbox: Inbox) -> None:
    logins = Logins(EMAIL)
    browser = Client(enforce_csrf_checks=True)
    assert f'href="{PAGE}"' in browser.get("/accounts/login/").content.decode()
    shown = browser.get(PAGE).content.decode()
    assert re.search(r'<label for="(id_email)">E-mail address:</label>\s*<input[^>]*id="\1"', shown)
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
    assert "we have sent a link" in browser.post(PAGE, {"email": "Ann@Example.com", **form}).content.decode()
    send_password_resets()
    (mail,) = inbox.mails
    link = re.findall(rf"{SITE}(\S+)", mail.get_content())[-1]

    opened = browser.get(link)
    # Other sites get no address of this page; "no-referrer" would take from forms what the protection from CSRF needs.
    assert (opened["Referrer-Policy"], opened["Cache-Control"]) == ("same-origin", "no-store")
    assert len(re.findall(r'<label for="id_new_password\d">', opened.content.decode())) == 2
    weak = browser.post(link, {"new_password1": "password123", "new_password2": "password123", **form})
    assert "too common" in weak.content.decode()
    assert User.objects.get().check_password(PASSWORD)
    done = browser.post(link, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD, **form})

    assert (done.status_code, done["Location"]) == (302, "/accounts/login/")
    assert "all logins have ended" in browser.get("/accounts/login/").content.decode()
    assert browser.get("/v1/auth/me").status_code == 401
    assert not logins.is_access_token_valid()
    assert logins.list_working() == []
    assert (can_log_in(PASSWORD), can_log_in(NEW_PASSWORD)) == (False, True)


def test_a_link_works_once_and_in_the_api_too(ann: User, inbox: Inbox) -> None:
    link = take_link(inbox)
    body = {"token": get_token(link), "password": NEW_PASSWORD}
    refused = APIClient().post(CONFIRM, {**body, "password": "short"})
    assert (refused.status_code, list(refused.json())) == (400, ["password"])
    assert APIClient().post(CONFIRM, body).status_code == 204
    assert can_log_in(NEW_PASSWORD)
    used = APIClient().post(CONFIRM, {**body, "password": PASSWORD})
    assert (used.status_code, used.json()) == (400, {"token": [NOT_VALID]})
    page = Client().get(link)
    assert (page.status_code, NOT_VALID in page.content.decode()) == (403, True)


def test_a_link_that_is_forged_expired_or_of_somebody_else_does_nothing(ann: User, inbox: Inbox) -> None:
    bob = User.objects.create_user("bob@example.com", PASSWORD)
    token = get_token(take_link(inbox))
    signature = token.partition(".")[2]
    for forged in ("x", "", ".", token[:-1], f"{bob.pk.hex}.{signature}", f"{ann.pk.hex}.", f"\0{token}"):
        assert APIClient().post(CONFIRM, {"token": forged, "password": NEW_PASSWORD}).status_code == 400
        assert Client().get("/accounts/password/reset/confirm/", {"token": forged}).status_code == 403
    late = datetime.now() + timedelta(hours=1, seconds=2)
    with mock.patch.object(PasswordResetTokenGenerator, "_now", return_value=late):
        assert APIClient().post(CONFIRM, {"token": token, "password": NEW_PASSWORD}).status_code == 400
    assert APIClient().post(CONFIRM, {"token": token, "password": NEW_PASSWORD}).status_code == 204


def test_a_link_ends_with_the_next_login(ann: User, inbox: Inbox) -> None:
    link = take_link(inbox)
    assert can_log_in(PASSWORD)
    assert Client().get(link).status_code == 403


def test_the_answer_and_its_queries_are_the_same_for_all_addresses(ann: User, inbox: Inbox) -> None:
    User.objects.create_user("locked@example.com", PASSWORD, is_active=False)
    User.objects.create_user("unconfirmed@example.com", PASSWORD, is_email_confirmed=False)
    User.objects.create_user("without@example.com")
    answers, queries = [], []
    for email in (EMAIL, "locked@example.com", "unconfirmed@example.com", "without@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as context:
            answer = APIClient().post(RESET, {"email": email})
        answers.append((answer.status_code, answer.content))
        queries.append([re.sub(r"'[^']*'", "?", query["sql"]) for query in context])
        page = Client().post(PAGE, {"email": f"2{email}"})
        assert "we have sent a link" in page.content.decode()
    assert answers == [(202, b"")] * 5
    assert queries == queries[:1] * 5
    while send_password_resets():
        pass
    assert [mail["To"] for mail in inbox.mails] == [EMAIL]
    assert not PasswordReset.objects.exists()


def test_a_link_of_an_account_that_was_locked_since_opens_nothing(ann: User, inbox: Inbox) -> None:
    link = take_link(inbox)
    User.objects.update(is_active=False)
    assert Client().get(link).status_code == 403
    assert APIClient().post(CONFIRM, {"token": get_token(link), "password": NEW_PASSWORD}).status_code == 400


def test_requests_are_limited_per_account_and_per_address(ann: User, inbox: Inbox, settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "password_reset": "2/hour", "password_reset_address": "5/hour"}
    assert [ask(EMAIL), ask(EMAIL.upper()), ask(EMAIL)] == [202, 202, 429]
    # An address without an account is limited in the same way.
    assert [ask("nobody@example.com"), ask("nobody@example.com"), ask("other@example.com")] == [202, 202, 429]
    page = Client().post(PAGE, {"email": "other@example.com"})
    assert (page.status_code, "Too many requests for a new password" in page.content.decode()) == (429, True)
    assert int(page["Retry-After"]) > 0


def test_a_mail_server_that_fails_is_asked_again_and_holds_up_nobody(ann: User, inbox: Inbox) -> None:
    inbox.answer = "554 No"
    assert ask() == 202
    assert send_password_resets() == 0
    inbox.answer = "250 OK"
    assert send_password_resets() == 0
    User.objects.create_user("bob@example.com", PASSWORD)
    ask("bob@example.com")
    assert send_password_resets() == 1
    PasswordReset.objects.update(due_at=timezone.now())
    assert send_password_resets() == 1
    assert [mail["To"] for mail in inbox.mails] == ["bob@example.com", EMAIL]
    # A link that nobody waits for any more is not sent.
    ask()
    PasswordReset.objects.update(created_at=timezone.now() - timedelta(hours=1, seconds=1))
    assert send_password_resets() == 0
    assert (len(inbox.mails), PasswordReset.objects.count()) == (2, 0)


def test_somebody_who_was_locked_out_can_log_in_after_a_reset(ann: User, inbox: Inbox) -> None:
    for _ in range(5):
        can_log_in("a guess")
    assert APIClient().post("/v1/auth/token", {"email": EMAIL, "password": PASSWORD}).status_code == 429
    assert APIClient().post(CONFIRM, {"token": get_token(take_link(inbox)), "password": NEW_PASSWORD}).status_code == 204
    assert can_log_in(NEW_PASSWORD)


def test_logs_hold_no_link(ann: User, inbox: Inbox) -> None:
    link = take_link(inbox)
    assert get_token(link) not in redact_text(f"GET {SITE}{link} HTTP/1.1")


@pytest.mark.django_db
def test_without_emails_an_administrator_is_named() -> None:
    assert "Ask an administrator to set a new one" in Client().get("/accounts/login/").content.decode()
    page = Client().get(PAGE)
    assert (page.status_code, "Ask an administrator to set a new password." in page.content.decode()) == (403, True)
    answer = APIClient().post(RESET, {"email": EMAIL})
    assert (answer.status_code, answer.json()["detail"]) == (403, NO_EMAILS)
    assert send_password_resets() == 0
