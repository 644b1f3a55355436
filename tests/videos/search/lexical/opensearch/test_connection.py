"""TLS, logins and signatures are settings, and what is wrong with them is reported with the setting and without the secret."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings
from structlog.testing import capture_logs

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from tests.opensearch.backends import configure
from tests.opensearch.tls import TlsServer
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.handler import lexical_backends
from videos.search.lexical.opensearch.backend import FALLBACK, OpenSearchLexical
from videos.search.lexical.opensearch.connection import SearchServerAway

pytestmark = pytest.mark.django_db
SECRET = "c4n4ry-of-opensearch"


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


def build(settings: Settings, url: str, **options: str) -> OpenSearchLexical:
    settings.LEXICAL_BACKENDS = configure(url, **options)
    backend = lexical_backends["default"]
    assert isinstance(backend, OpenSearchLexical)
    return backend


def search(backend: OpenSearchLexical, owner: User, text: str) -> tuple[int, tuple[str, ...]]:
    """Return the number of scenes in speech, and the notices."""
    answer = backend.search(LexicalQuery(owner.pk, text, 100))
    return sum(match.is_match for match in answer.matches["lexical"]), answer.notices


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[TlsServer]:
    """Yield a server that refuses every login."""
    server = TlsServer(tmp_path / "tls", 401)
    yield server
    server.stop()


def test_a_certificate_that_is_not_trusted_is_reported_with_the_setting(
    settings: Settings, refusing: TlsServer, tmp_path: Path, owner: User
) -> None:
    other = TlsServer(tmp_path / "other", 200)
    other.stop()
    for ca in ("", str(other.certificate)):
        backend = build(settings, refusing.url, ca=ca, user="heimdex", password=SECRET)
        assert "HEIMDEX_OPENSEARCH_CA" in backend.health()
        assert search(backend, owner, "boat") == (0, (FALLBACK,))
    assert refusing.headers == []


def test_a_refused_login_is_reported_without_the_password(settings: Settings, refusing: TlsServer, owner: User) -> None:
    with capture_logs() as logs:
        backend = build(settings, refusing.url, ca=str(refusing.certificate), user="heimdex", password=SECRET)
        make_video(owner, ["A boat."])
        assert "HEIMDEX_OPENSEARCH_USER" in backend.health()
        assert search(backend, owner, "boat") == (1, (FALLBACK,))
        with pytest.raises(SearchServerAway):
            backend.drain.run()
    assert refusing.headers[0]["authorization"].startswith("Basic ")
    assert SECRET not in f"{logs}{backend.connection!r}{backend.health()}"


def test_requests_are_signed_for_amazon(settings: Settings, refusing: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    backend = build(settings, refusing.url, ca=str(refusing.certificate), aws_region="eu-central-1")
    assert backend.check() == []
    assert "HEIMDEX_OPENSEARCH_AWS_REGION" in backend.health()
    authorization = refusing.headers[0]["authorization"]
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=access/")
    assert "/eu-central-1/es/" in authorization
    assert SECRET not in str(refusing.headers)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"ca": "/no/such/file.pem"}, "There is no file /no/such/file.pem"),
        ({"ca": __file__}, "HEIMDEX_OPENSEARCH_CA needs TLS"),
        ({"aws_region": "eu-central-1"}, "boto3 finds no credentials"),
    ],
)
def test_a_wrong_setting_is_reported_by_a_system_check(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, str], problem: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings.LEXICAL_BACKENDS = configure("http://127.0.0.1:9", **options)
    assert any(problem in error.msg for error in run_checks(tags=["lexical"]))
