"""The rules of an upload that do not depend on the type of file."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from heimdex.errors import Refused
from heimdex.uploads.flow import UploadPolicy, UploadRequest, validate_upload

POLICY = UploadPolicy(
    max_bytes=10, accepts_type="text/plain".__eq__, wrong_type="is not a text ({mime_type}).", too_large_hint=" Shorten it."
)


@pytest.mark.parametrize("size", [1, 10])
def test_a_file_within_the_limits_is_accepted(size: int) -> None:
    validate_upload(UploadRequest("a.txt", "text/plain", size), POLICY)


@pytest.mark.parametrize(
    ("upload", "field", "message"),
    [
        (UploadRequest("a.txt", "text/plain", 0), "size_bytes", "The file is empty. Choose another file."),
        (UploadRequest("a.txt", "text/plain", 11), "size_bytes", "The file is larger than the limit of 10\xa0bytes. Shorten it."),
        (UploadRequest("../a.png", "image/png", 5), "mime_type", "a.png is not a text (image/png)."),
    ],
)
def test_another_file_is_refused_with_the_reason(upload: UploadRequest, field: str, message: str) -> None:
    with pytest.raises(Refused) as error:
        validate_upload(upload, POLICY)
    assert (error.value.field, str(error.value)) == (field, message)


@pytest.mark.parametrize(
    ("ttl_s", "max_lifetime", "expected_s"),
    [(3600, None, 3600), (3600, timedelta(minutes=10), 600), (60, timedelta(minutes=10), 60)],
)
def test_an_upload_expires_after_the_shorter_of_two_times(
    settings: LazySettings, ttl_s: int, max_lifetime: timedelta | None, expected_s: int
) -> None:
    settings.UPLOAD_TTL_SECONDS = ttl_s
    policy = UploadPolicy(max_bytes=1, accepts_type=bool, wrong_type="", max_lifetime=max_lifetime)
    remaining = policy.compute_expiry() - timezone.now()
    assert remaining.total_seconds() == pytest.approx(expected_s, abs=1)
