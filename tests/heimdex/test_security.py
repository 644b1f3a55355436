"""What pages allow a browser to load."""

from pathlib import Path

import pytest
from django.test import Client, override_settings

from heimdex.security import media_origins
from heimdex.storage import media_storage
from heimdex.storage.options import LocalOptions, S3Options
from tests.library import make_user

pytestmark = pytest.mark.django_db


def policy_of(client: Client, path: str) -> dict[str, str]:
    rules = (rule.partition(" ") for rule in client.get(path).headers["Content-Security-Policy"].split("; "))
    return {name: sources for name, _, sources in rules}


def s3(**options: str) -> S3Options:
    known = {"endpoint_url": "http://s3:8333", "bucket": "films", "region": "eu-west-1", "access_key": "a", "secret_key": "b"}
    return S3Options(**{**known, **options}, scratch=Path("unused"))


@pytest.mark.parametrize("path", ["/", "/search/?q=boat", "/admin/", "/accounts/login/", "/no/such/page", "/v1/docs/"])
def test_a_page_runs_only_this_sites_own_scripts(client: Client, path: str) -> None:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    policy = policy_of(client, path)
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy
    assert ("style-src" in policy) == (path == "/v1/docs/")
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'self'", "'self'")


def test_a_page_may_reach_the_service_that_holds_the_files_and_no_other(client: Client) -> None:
    client.force_login(make_user())
    with override_settings(MEDIA_STORAGE=s3(public_endpoint_url="https://media.example.org/s3")):
        policy = policy_of(client, "/")
    assert policy["img-src"] == "'self' https://media.example.org data:"
    assert policy["media-src"] == policy["connect-src"] == "'self' https://media.example.org"


@pytest.mark.parametrize(
    "options",
    [s3(), s3(public_endpoint_url="https://media.example.org"), s3(endpoint_url=""), s3(endpoint_url="", bucket="my.films")],
    ids=["endpoint", "public endpoint", "Amazon", "Amazon, dotted"],
)
def test_the_addresses_that_the_storage_signs_are_allowed(options: S3Options) -> None:
    with override_settings(MEDIA_STORAGE=options):
        signed = [media_storage().download_url("a", 60), media_storage().upload_target("a", size=1, content_type="a/b", expires_in_s=9).url]
    for url in signed:
        assert any(url.startswith(f"{origin}/") for origin in media_origins(options)), url


def test_files_on_another_name_of_this_host_are_allowed() -> None:
    assert media_origins(LocalOptions(Path("unused"), "https://films.example.org:8443/")) == ["https://films.example.org:8443"]
    assert media_origins(LocalOptions(Path("unused"))) == []


def test_what_was_uploaded_keeps_its_own_stricter_policy(client: Client) -> None:
    media_storage().save("pages/evil", b"<script>alert(1)</script>", "text/html")
    answer = client.get(media_storage().download_url("pages/evil", 60))
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_an_answer_that_is_no_page_has_no_policy(client: Client) -> None:
    assert "Content-Security-Policy" not in client.get("/healthz").headers
