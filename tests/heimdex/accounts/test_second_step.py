"""With two-factor authentication on, a password alone opens nothing, whichever way it comes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import login
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, get_resolver, reverse
from rest_framework.test import APIClient

from heimdex.accounts.access import lock_account
from heimdex.accounts.models import User
from heimdex.accounts.second_step import find_pending, log_in
from heimdex.accounts.two_factor import turn_off, verify_code
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD
from tests.heimdex.accounts.second_factors import compute_code, forget_used_codes, is_logged_in, turn_on
from tests.isolation import iterate_admin_routes, iterate_routes

SECOND_STEP = "/accounts/second-step/"


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser(EMAIL, PASSWORD)


@pytest.mark.parametrize("path", ["/v1/auth/token", "/v1/auth/login"])
def test_the_api_asks_for_a_code_and_takes_it(client: Client, staff: User, path: str) -> None:
    secret, (recovery_code, *_) = turn_on(staff)

    def send(code: str | None) -> Any:
        body = {"email": EMAIL, "password": PASSWORD} | ({} if code is None else {"code": code})
        return client.post(path, body, content_type="application/json")

    for code, problem in ((None, "two_factor_required"), ("", "two_factor_required"), ("000000", "invalid_code")):
        answer = send(code)
        assert (answer.status_code, answer.json()["code"]) == (401, problem)
        assert "authenticator app" in answer.json()["detail"]
        assert "access" not in answer.json()
        assert not is_logged_in(client)
    assert send(compute_code(secret)).status_code == 200
    assert send(compute_code(secret)).status_code == 401
    assert send(recovery_code).status_code == 200
    assert send(recovery_code).status_code == 401


def test_a_wrong_password_is_answered_as_without_two_factor_authentication(client: Client, staff: User) -> None:
    secret, _ = turn_on(staff)
    body = {"email": EMAIL, "password": "wrong", "code": compute_code(secret)}
    answer = client.post("/v1/auth/token", body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (401, {"detail": "No active account has this e-mail address and password."})


@pytest.mark.parametrize(("path", "target"), [("/accounts/login/?next=/people/", "/people/"), ("/admin/login/", "/admin/")])
def test_a_page_asks_for_a_code_after_the_password(client: Client, staff: User, path: str, target: str) -> None:
    secret, _ = turn_on(staff)

    step = client.post(path, {"username": EMAIL, "password": PASSWORD})
    assert (step.status_code, step["Location"].split("?")[0]) == (302, SECOND_STEP)
    assert not is_logged_in(client)
    for closed in ("/", "/admin/", "/accounts/password/", "/accounts/two-factor/", "/accounts/two-factor/off/"):
        assert client.get(closed)["Location"].split("?")[0] in {"/accounts/login/", "/admin/login/"}, closed

    page = client.get(step["Location"]).content.decode()
    assert "The six digits that your authenticator app shows now." in page
    assert "data-passkey" not in page
    wrong = client.post(step["Location"], {"code": "000000"})
    assert "set the clock of your phone to automatic" in wrong.content.decode()
    assert "Enter the code of your authenticator app" in client.post(step["Location"], {"code": ""}).content.decode()
    assert not is_logged_in(client)

    done = client.post(step["Location"], {"code": compute_code(secret)})
    assert (done.status_code, done["Location"]) == (302, target)
    assert is_logged_in(client)


def test_a_recovery_code_logs_in_once(client: Client, staff: User) -> None:
    _, codes = turn_on(staff)
    assert len(set(codes)) == 10
    client.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    assert "One of the codes that you kept" in client.get(f"{SECOND_STEP}?recovery=1").content.decode()
    assert client.post(f"{SECOND_STEP}?recovery=1", {"code": f" {codes[3][:4]}-{codes[3][4:]} "}).status_code == 302
    assert is_logged_in(client)

    other = Client()
    other.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    assert other.post(SECOND_STEP, {"code": codes[3]}).status_code == 200
    assert not is_logged_in(other)


def test_the_link_of_a_registration_is_no_way_around(client: Client, staff: User) -> None:
    """An administrator may clear "e-mail address confirmed" of an account that has two factors."""
    turn_on(staff)
    User.objects.update(is_email_confirmed=False)
    token = signing.dumps(str(staff.pk), salt="heimdex.accounts.confirmation")
    answer = client.post(f"/accounts/confirm/?token={token}", {"password": PASSWORD})
    assert answer["Location"].startswith(SECOND_STEP)
    assert not is_logged_in(client)


def test_no_url_of_the_service_logs_in_with_a_password_alone(staff: User) -> None:
    """Whatever ways to log in there will be."""
    assert find_ways_in() == {"/accounts/login/", "/admin/login/", "/v1/auth/login", "/v1/auth/token"}
    turn_on(staff)
    assert find_ways_in() == set()


def find_ways_in() -> set[str]:
    """Return the URLs that answer a password, whatever the names of its fields, with a session or a token."""
    fields = dict.fromkeys(("email", "username", "login", "name", "user"), EMAIL)
    fields |= dict.fromkeys(("password", "password1", "password2", "old_password", "new_password1", "new_password2"), PASSWORD)
    ways = set()
    for path in [route.text for route in (*iterate_routes(), *iterate_admin_routes()) if not route.converters]:
        for kind in ("application/json", None):
            client = Client()
            answer = client.post(path, fields, **({"content_type": kind} if kind else {}))
            body = answer.json() if answer.headers.get("Content-Type") == "application/json" else {}
            if "access" in body or is_logged_in(client):
                ways.add(path)
    return ways


def test_no_url_of_allauth_is_served() -> None:
    for name in ("account_login", "account_signup", "account_reset_password", "mfa_index", "mfa_authenticate", "mfa_login_webauthn"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    views = [*_iterate_views(get_resolver())]
    assert len(views) > 100
    assert not [view for view in views if view.__module__.startswith("allauth")]


def _iterate_views(resolver: Any) -> Any:
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _iterate_views(pattern)
        else:
            yield pattern.callback


@pytest.mark.parametrize("start_login", [login, log_in])
def test_code_that_forgets_the_second_step_cannot_log_in(client: Client, staff: User, start_login: Callable[..., None]) -> None:
    turn_on(staff)
    request = RequestFactory().post("/")
    request.session = client.session
    staff.backend = "django.contrib.auth.backends.ModelBackend"
    with pytest.raises(PermissionDenied):
        start_login(request, staff)
    assert "_auth_user_id" not in request.session


def test_logins_from_before_end_and_the_own_session_stays(client: Client, api: APIClient, staff: User) -> None:
    pair = api.post("/v1/auth/token", {"email": EMAIL, "password": PASSWORD}).json()
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    setup = client.post("/v1/auth/two-factor/totp", {"password": PASSWORD}, content_type="application/json").json()
    body = {"setup": setup["setup"], "code": compute_code(setup["secret"])}
    assert client.post("/v1/auth/two-factor/totp/confirm", body, content_type="application/json").status_code == 200

    assert is_logged_in(client)
    assert not is_logged_in(elsewhere)
    assert api.post("/v1/auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401


def test_wrong_codes_are_limited_as_wrong_passwords_are(client: Client, staff: User) -> None:
    secret, _ = turn_on(staff)
    client.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    assert [client.post(SECOND_STEP, {"code": "000000"}).status_code for _ in range(5)] == [200] * 4 + [429]

    locked = client.post(SECOND_STEP, {"code": compute_code(secret)})
    assert (locked.status_code, int(locked["Retry-After"]) > 0) == (429, True)
    body = {"email": EMAIL, "password": PASSWORD, "code": compute_code(secret)}
    assert client.post("/v1/auth/token", body, content_type="application/json").status_code == 429
    assert not is_logged_in(client)
    assert "000000" not in str(list(AccessAttempt.objects.values()))


def test_a_right_password_does_not_reset_the_count_of_wrong_codes(client: Client, staff: User) -> None:
    turn_on(staff)
    body = {"email": EMAIL, "password": PASSWORD, "code": "000000"}
    statuses = []
    for _ in range(5):
        client.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
        statuses.append(client.post("/v1/auth/token", body, content_type="application/json").status_code)
    assert statuses == [401] * 4 + [429]


def test_wrong_codes_from_many_addresses_are_limited(client: Client, staff: User, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "failed_login_account": "6/hour"}
    turn_on(staff)
    body = {"email": EMAIL, "password": PASSWORD, "code": "000000"}
    statuses = [
        client.post("/v1/auth/token", body, content_type="application/json", REMOTE_ADDR=f"192.0.2.{number}").status_code
        for number in range(8)
    ]
    assert statuses == [401] * 6 + [429] * 2


@pytest.mark.parametrize("change", ["password", "locked", "off", "late"])
def test_a_password_that_waits_for_its_code_does_not_outlive_the_account(client: Client, staff: User, change: str) -> None:
    secret, _ = turn_on(staff)
    client.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    if change == "password":
        staff.set_password("another long secret")
        staff.save()
    elif change == "locked":
        lock_account(staff.pk)
    elif change == "off":
        turn_off(staff)
    else:
        session = client.session
        session["second_step.pending"] = {**session["second_step.pending"], "at": 0}
        session.save()

    answer = client.post(SECOND_STEP, {"code": compute_code(secret)}, follow=True)
    assert answer.redirect_chain[0][0].startswith("/accounts/login/")
    assert "Enter your e-mail address and password first." in answer.content.decode()
    assert not is_logged_in(client)


def test_the_second_step_leads_to_no_other_site(client: Client, staff: User) -> None:
    secret, _ = turn_on(staff)
    client.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    assert client.post(f"{SECOND_STEP}?next=https://evil.example/", {"code": compute_code(secret)})["Location"] == "/"


def test_a_session_without_a_login_has_no_second_step(rf: RequestFactory, client: Client, db: None) -> None:
    request = rf.get("/")
    request.session = client.session
    assert find_pending(request) is None
    assert client.get(SECOND_STEP)["Location"].startswith("/accounts/login/")


def test_a_code_works_once_in_all_processes(staff: User) -> None:
    secret, _ = turn_on(staff)
    code = compute_code(secret)
    assert verify_code(staff, code)
    # Another process has a cache of its own.
    cache.clear()
    assert not verify_code(staff, code)
    assert verify_code(staff, compute_code(secret, 1))
    # A code of an earlier step may have been seen too.
    assert not verify_code(staff, compute_code(secret, -1))
    assert not verify_code(staff, compute_code(secret))


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_of_another_minute_is_refused(staff: User, steps: int) -> None:
    secret, _ = turn_on(staff)
    assert not verify_code(staff, compute_code(secret, steps))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_a_code_used_four_times_concurrently_works_once(kind: str) -> None:
    user = User.objects.create_user(EMAIL, PASSWORD)
    secret, codes = turn_on(user)
    code, together = compute_code(secret) if kind == "totp" else codes[0], Barrier(4)

    def use(_: int) -> bool:
        together.wait()
        cache.clear()
        is_right = verify_code(user, code)
        connection.close()
        return is_right

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


@pytest.mark.parametrize("code", ["", " ", "-", "١٢٣٤٥٦", "\0", "0" * 40])
def test_a_code_that_is_none_is_refused(staff: User, code: str) -> None:
    turn_on(staff)
    forget_used_codes(staff)
    assert not verify_code(staff, code)
