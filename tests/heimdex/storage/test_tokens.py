"""Grants in URLs: signed, for one purpose, and until a time."""

import pytest

from heimdex.storage.tokens import DownloadGrant, InvalidTokenError, UploadGrant


@pytest.fixture
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heimdex.storage.tokens.time.time", lambda: 1000.0)


UPLOAD = UploadGrant("videos/1/original", 5, "video/mp4", 1001)
DOWNLOAD = DownloadGrant("videos/1/original", None, 1001)


@pytest.mark.usefixtures("_noon")
def test_a_grant_comes_back_from_its_token() -> None:
    assert UploadGrant.from_token(UPLOAD.sign()) == UPLOAD
    assert DownloadGrant.from_token(DOWNLOAD.sign()) == DOWNLOAD


@pytest.mark.usefixtures("_noon")
def test_a_grant_ends_at_its_time() -> None:
    for grant in (UploadGrant("a", 5, "video/mp4", 1000), DownloadGrant("a", "a.mp4", 1000)):
        with pytest.raises(InvalidTokenError, match="expired"):
            type(grant).from_token(grant.sign())


@pytest.mark.usefixtures("_noon")
def test_a_token_is_for_one_purpose_and_cannot_be_changed() -> None:
    with pytest.raises(InvalidTokenError, match="upload URL is not valid"):
        UploadGrant.from_token(DOWNLOAD.sign())
    with pytest.raises(InvalidTokenError, match="download URL is not valid"):
        DownloadGrant.from_token(UPLOAD.sign())
    token = DOWNLOAD.sign()
    for forged in ("", token[:-1], "A" + token):
        with pytest.raises(InvalidTokenError, match="not valid"):
            DownloadGrant.from_token(forged)
