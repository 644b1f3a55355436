"""The Content-Security-Policy of pages, caching, and the settings with HTTPS."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from pytest_django import Settings

from heimdex.storage import S3, get_media_storage
from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.s3 import S3MediaStorage
from tests.heimdex.storage.seaweed import S3Options
from tests.library import make_user

pytestmark = pytest.mark.django_db


def get_policy(client: Client, path: str) -> dict[str, str]:
    rules = (rule.partition(" ") for rule in client.get(path).headers["Content-Security-Policy"].split("; "))
    return {name: sources for name, _, sources in rules}


def build_s3(**options: str) -> S3Options:
    defaults: dict[str, Any] = {
        "endpoint_url": "http://s3:8333",
        "bucket": "films",
        "region": "eu-west-1",
        "access_key": "a",
        "secret_key": "b",
    }
    return {**defaults, **options, "scratch": Path("unused")}


@pytest.mark.parametrize("path", ["/", "/search/?q=boat", "/admin/", "/accounts/login/", "/no/such/page", "/v1/docs/"])
def test_a_page_runs_only_this_sites_scripts(client: Client, path: str) -> None:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    policy = get_policy(client, path)
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy
    assert ("style-src" in policy) == (path == "/v1/docs/")
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'none'", "'self'")


def test_a_page_may_connect_only_to_the_storage_service(client: Client) -> None:
    client.force_login(make_user())
    media = {"BACKEND": S3, "OPTIONS": build_s3(public_endpoint_url="https://media.example.org/s3")}
    with override_settings(STORAGES={**settings.STORAGES, "media": media}):
        policy = get_policy(client, "/")
    assert policy["img-src"] == "'self' https://media.example.org data:"
    assert policy["media-src"] == policy["connect-src"] == "'self' https://media.example.org"


@pytest.mark.parametrize(
    "options",
    [
        build_s3(),
        build_s3(public_endpoint_url="https://media.example.org"),
        build_s3(endpoint_url=""),
        build_s3(endpoint_url="", bucket="my.films"),
    ],
    ids=["endpoint", "public endpoint", "Amazon", "Amazon, dotted"],
)
def test_the_presigned_urls_of_the_storage_are_allowed(options: S3Options) -> None:
    storage = S3MediaStorage(**options)
    upload = storage.presign_upload("a", size=1, content_type="a/b", expires_in_s=9)
    signed = [storage.presign_download("a", expires_in_s=60), upload.url]
    for url in signed:
        assert any(url.startswith(f"{origin}/") for origin in storage.list_client_origins()), url


def test_files_under_another_public_url_are_allowed() -> None:
    storage = LocalMediaStorage(root=Path("unused"), public_url="https://films.example.org:8443/")
    assert storage.list_client_origins() == ["https://films.example.org:8443"]
    assert LocalMediaStorage(root=Path("unused")).list_client_origins() == []


def test_an_uploaded_file_keeps_its_own_stricter_policy(client: Client) -> None:
    get_media_storage().save("pages/evil", b"<script>alert(1)</script>", "text/html")
    answer = client.get(get_media_storage().presign_download("pages/evil", expires_in_s=60))
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_response_other_than_a_page_has_no_policy(client: Client) -> None:
    assert "Content-Security-Policy" not in client.get("/healthz").headers


@pytest.mark.parametrize(
    "path", ["/", "/search/?q=boat", "/accounts/login/", "/v1/auth/me", "/v1/videos", "/v1/search?q=boat", "/no/such/page"]
)
def test_no_cache_stores_an_answer(client: Client, path: str) -> None:
    client.force_login(make_user())
    assert "no-store" in client.get(path).headers["Cache-Control"]


def run_check(home: Path, **variables: str) -> str:
    # The suite's database is used as superuser, which the check would report.
    own = {name: value for name, value in os.environ.items() if name != "HEIMDEX_DATABASE_URL"}
    environment = {**own, "HEIMDEX_HOME": str(home), **variables}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return result.stdout + result.stderr


def test_the_deployment_check_is_clean_with_https(tmp_path: Path) -> None:
    # W013 names what this system lacks for decoders.
    assert set(re.findall(r"\((\w+\.[EW]\d+)\)", run_check(tmp_path, HEIMDEX_HTTPS="true"))) <= {"heimdex.W013"}


def test_without_https_the_deployment_check_names_the_setting(tmp_path: Path) -> None:
    text = run_check(tmp_path, HEIMDEX_HTTPS="false")
    assert set(re.findall(r"\((\w+\.[EW]\d+)\)", text)) - {"heimdex.W013"} == {"heimdex.W016"}
    assert "HEIMDEX_HTTPS=true" in text


def test_https_is_enforced_but_for_health_checks(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 365 * 24 * 3600
    answer = client.get("/accounts/login/")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/accounts/login/")
    assert client.get("/healthz").status_code == 200
    assert client.get("/accounts/login/", secure=True).headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.django_db
def test_headers_and_cookies_limit_what_browsers_do(client: Client, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    make_user("owner@example.org")
    for url in ("/accounts/login/", "/v1/auth/me", "/healthz"):
        headers = client.get(url).headers
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["X-Frame-Options"]) == (
            "nosniff",
            "same-origin",
            "DENY",
        )
    client.post("/accounts/login/", {"username": "owner@example.org", "password": "correct horse battery"})
    for name, is_hidden in (("sessionid", True), ("csrftoken", False)):
        cookie = client.cookies[name]
        assert (bool(cookie["secure"]), cookie["samesite"], bool(cookie["httponly"])) == (True, "Lax", is_hidden)
