"""One bucket through django-storages; importing this module imports boto3."""

from functools import cached_property
from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage


class Bucket(S3Storage):  # type: ignore[misc]  # the library has no types
    """Django's storage of one bucket, with one connection for all threads.

    django-storages opens one per thread, at 18 MB each, because a boto3 resource must not be changed concurrently. Nothing here changes it,
    and its client is thread-safe.
    """

    @cached_property
    def connection(self) -> Any:
        return super().connection


def open_bucket(*, name: str, endpoint_url: str, region: str, access_key: str, secret_key: str, timeout_s: int, attempts: int) -> Bucket:
    """Return the bucket at `endpoint_url` (Amazon's own when empty) without sending a request.

    Each request may be sent `attempts` times, and ends when the server has sent nothing for `timeout_s` seconds.
    """
    return Bucket(
        bucket_name=name,
        endpoint_url=endpoint_url or None,
        region_name=region,
        access_key=access_key,
        secret_key=secret_key,
        # Otherwise variables of other tools in the operator's shell (AWS_SESSION_TOKEN, AWS_S3_SESSION_PROFILE) would be used.
        security_token=None,
        session_profile=None,
        file_overwrite=True,
        querystring_auth=True,
        client_config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=5,
            read_timeout=timeout_s,
            # Other services than Amazon's do not support these checksums, and clients of presigned URLs do not send them.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
