"""After a rotation of the secret key, everything that the old key signed works until its fallback is dropped."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework_simplejwt.exceptions import ExpiredTokenError
from rest_framework_simplejwt.tokens import AccessToken

from heimdex.accounts.invitations import build_link, invite
from heimdex.accounts.models import User
from heimdex.environment import Environment
from heimdex.secret_keys import SecretKeys, read_secret_keys
from heimdex.storage.tokens import DownloadGrant, InvalidTokenError, UploadGrant

CHECKOUT = Path(__file__).resolve().parents[2]
NEW_KEY, OLDEST_KEY = "a new key, with a comma, for this installation", "the oldest key of this installation"
PASSWORD = "tiger lilies bloom"


@pytest.fixture
def key_file(tmp_path: Path, settings: Settings) -> Path:
    """Return the file of a home whose keys are in it."""
    settings.HEIMDEX_HOME = tmp_path
    settings.ENVIRONMENT = Environment(home=tmp_path)
    settings.ENVIRONMENT.resolve_secret_keys()
    return tmp_path / "secret_key"


@pytest.fixture
def rotate(settings: Settings) -> Callable[[], None]:
    def rotate() -> None:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [settings.SECRET_KEY]

    return rotate


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann@example.com", PASSWORD)


def read_settings(home: Path, **variables: str) -> list[Any]:
    """Return the key and its fallbacks as a process with these variables reads them."""
    code = "import heimdex.settings as s, json; print(json.dumps([s.SECRET_KEY, *s.SECRET_KEY_FALLBACKS]))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")} | {"HEIMDEX_HOME": str(home)}
    environment |= {f"HEIMDEX_{name}": value for name, value in variables.items()}
    ended = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    return list(json.loads(ended.stdout))


def test_the_file_of_an_older_version_is_read_and_rotated(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("the-key-of-an-older-version")
    assert read_settings(tmp_path) == ["the-key-of-an-older-version"]
    environment = {**os.environ, "HEIMDEX_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "manage.py", "rotate_secret_key"], cwd=CHECKOUT, env=environment, check=True, capture_output=True)
    current, *fallbacks = read_settings(tmp_path)
    assert fallbacks == ["the-key-of-an-older-version"]
    assert len(current) >= 50


@pytest.mark.parametrize(
    ("text", "fallbacks"), [("old", ["old"]), ("old, older ,,", ["old", "older"]), (f'["{NEW_KEY}"]', [NEW_KEY]), ("", []), ("k", [])]
)
def test_fallbacks_of_the_environment(tmp_path: Path, text: str, fallbacks: list[str]) -> None:
    assert read_settings(tmp_path, SECRET_KEY="k", SECRET_KEY_FALLBACKS=text) == ["k", *fallbacks]


def test_a_key_can_move_between_file_and_environment(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("new\nold")
    assert read_settings(tmp_path, SECRET_KEY_FALLBACKS="of-the-environment") == ["new", "old", "of-the-environment"]
    assert read_settings(tmp_path, SECRET_KEY="new", SECRET_KEY_FALLBACKS="old") == ["new", "old"]


@pytest.mark.django_db
def test_rotate_keeps_older_keys_until_they_are_dropped(key_file: Path, settings: Settings) -> None:
    first = read_secret_keys(key_file)
    for _ in range(2):
        call_command("rotate_secret_key")
    keys = read_secret_keys(key_file)
    assert keys.current != first.current
    assert len(keys.fallbacks) == 2
    assert keys.fallbacks[-1] == first.current
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    settings.SECRET_KEY_FALLBACKS = list(keys.fallbacks)
    call_command("rotate_secret_key", "--drop-fallbacks")

    assert read_secret_keys(key_file) == SecretKeys(keys.current)
    assert [path.name for path in key_file.parent.iterdir()] == ["secret_key"]


def test_a_rotation_that_is_interrupted_leaves_the_old_key(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_file.read_text()

    def stop(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        call_command("rotate_secret_key")
    assert key_file.read_text() == before


def test_killed_at_any_time_a_rotation_leaves_a_complete_key(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.write_text("first-key")
    code = (
        f"from pathlib import Path; from heimdex.secret_keys import *; path = Path({str(path)!r})\n"
        "while True: write_secret_keys(path, read_secret_keys(path).rotate('k' * 60)); "
        "write_secret_keys(path, read_secret_keys(path).drop_fallbacks())"
    )
    for delay_s in (0.0, 0.003, 0.007, 0.011):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT)
        while path.read_text() == "first-key":
            assert process.poll() is None
        time.sleep(delay_s)
        process.kill()
        process.wait()
        keys = read_secret_keys(path)
        assert {len(keys.current), *map(len, keys.fallbacks)} <= {60, len("first-key")}
        path.write_text("first-key")


@pytest.mark.django_db
def test_a_key_of_the_environment_is_not_rotated_by_the_command(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.ENVIRONMENT = Environment(secret_key=NEW_KEY, secret_key_fallbacks=(OLDEST_KEY,))
    settings.SECRET_KEY_FALLBACKS = [OLDEST_KEY]
    with pytest.raises(CommandError, match="HEIMDEX_SECRET_KEY_FALLBACKS") as refused:
        call_command("rotate_secret_key")
    assert refused.value.returncode == 2
    call_command("rotate_secret_key", "--drop-fallbacks")
    assert "Now remove HEIMDEX_SECRET_KEY_FALLBACKS" in capsys.readouterr().out
    settings.SECRET_KEY_FALLBACKS = []
    call_command("rotate_secret_key", "--drop-fallbacks")
    assert "Nothing was changed" in capsys.readouterr().out


def test_fallbacks_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = f'["{OLDEST_KEY}"'
    assert OLDEST_KEY in Environment(secret_key=NEW_KEY, secret_key_fallbacks=(OLDEST_KEY,)).list_secrets()
    monkeypatch.setenv("HEIMDEX_SECRET_KEY_FALLBACKS", keys)
    with pytest.raises(SystemExit) as ended:
        Environment.load()
    assert "HEIMDEX_SECRET_KEY_FALLBACKS: not JSON" in str(ended.value.code)
    assert OLDEST_KEY not in str(ended.value.code)


def use_session(user: User) -> Iterator[bool]:
    browser = Client()
    browser.post("/accounts/login/", {"username": user.email, "password": PASSWORD})
    while True:
        yield browser.get("/v1/auth/me").status_code == 200


def use_form(user: User) -> Iterator[bool]:
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login/")
    token = browser.cookies["csrftoken"].value
    while True:
        fields = {"username": user.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
        yield Client(enforce_csrf_checks=True, headers={"Cookie": f"csrftoken={token}"}).post("/accounts/login/", fields).status_code == 302


def use_access_token(user: User) -> Iterator[bool]:
    access = Client().post("/v1/auth/token", {"email": user.email, "password": PASSWORD}, content_type="application/json").json()["access"]
    while True:
        yield Client().get("/v1/auth/me", headers={"Authorization": f"Bearer {access}"}).status_code == 200


def use_refresh_token(user: User) -> Iterator[bool]:
    pairs = [
        Client().post("/v1/auth/token", {"email": user.email, "password": PASSWORD}, content_type="application/json").json()
        for _ in range(3)
    ]
    for pair in pairs:
        answer = Client().post("/v1/auth/token/refresh", {"refresh": pair["refresh"]}, content_type="application/json")
        yield answer.status_code == 200


def use_invitation(user: User) -> Iterator[bool]:
    link = build_link(invite("bob@example.com"))
    while True:
        yield Client().get(link).status_code == 200


def use_download_url(user: User) -> Iterator[bool]:
    token = DownloadGrant("videos/x/original", None, int(time.time()) + 600).sign()
    while True:
        # The file does not exist, which the server tells only to whoever has a right to it.
        yield Client().get(reverse("media-file", args=[token])).status_code == 404


def use_upload_token(user: User) -> Iterator[bool]:
    token = UploadGrant("videos/x/original", 3, "video/mp4", int(time.time()) + 600).sign()
    while True:
        try:
            UploadGrant.from_token(token)
        except InvalidTokenError:
            yield False
        else:
            yield True


@pytest.mark.parametrize(
    "use",
    [use_session, use_access_token, use_refresh_token, use_invitation, use_download_url, use_upload_token],
    ids=lambda use: use.__name__,
)
def test_what_the_old_key_signed_works_until_its_fallback_is_dropped(
    ann: User, settings: Settings, rotate: Callable[[], None], use: Callable[[User], Iterator[bool]]
) -> None:
    works = use(ann)
    assert next(works)
    rotate()
    assert next(works)
    settings.SECRET_KEY_FALLBACKS = []
    # A session goes over to the new key when it is used.
    assert next(works) is (use is use_session)


def test_an_unused_session_ends_with_the_fallback(ann: User, settings: Settings, rotate: Callable[[], None]) -> None:
    works = use_session(ann)
    assert next(works)
    rotate()
    settings.SECRET_KEY_FALLBACKS = []
    assert not next(works)


def test_forms_that_were_open_during_the_rotation_can_be_sent(ann: User, rotate: Callable[[], None]) -> None:
    works = use_form(ann)
    assert next(works)
    rotate()
    assert next(works)


def test_an_expired_token_of_the_old_key_is_answered_as_expired(ann: User, rotate: Callable[[], None]) -> None:
    token = AccessToken.for_user(ann)
    token.set_exp(lifetime=timedelta(seconds=-10))
    encoded = str(token)
    rotate()
    with pytest.raises(ExpiredTokenError):
        AccessToken(encoded)  # type: ignore[arg-type]
