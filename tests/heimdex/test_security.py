"""The Content-Security-Policy of pages."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

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
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'self'", "'self'")


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
