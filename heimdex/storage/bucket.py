"""The bucket through django-storages; importing this module imports boto3."""

from functools import cached_property
from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage

from heimdex.storage.options import S3Options


class Bucket(S3Storage):  # type: ignore[misc]  # the library has no types
    """Django's storage of one bucket, with one connection for all threads.

    Its own would be one per thread, at 18 MB each: the resource object cannot be shared while it is changed, which nobody does here,
    and the client below it can.
    """

    @cached_property
    def connection(self) -> Any:
        return super().connection


def bucket_at(endpoint_url: str, options: S3Options) -> Bucket:
    """Return the bucket as it is reached at `endpoint_url` (Amazon's own when empty); no request is sent."""
    return Bucket(
        bucket_name=options.bucket,
        endpoint_url=endpoint_url or None,
        region_name=options.region,
        access_key=options.access_key,
        secret_key=options.secret_key,
        # Otherwise the variables of another tool in the operator's shell (AWS_SESSION_TOKEN, AWS_S3_SESSION_PROFILE) would be mixed in.
        security_token=None,
        session_profile=None,
        file_overwrite=True,
        querystring_auth=True,
        client_config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            retries={"mode": "standard", "max_attempts": 3},
            connect_timeout=5,
            # Checksums that other services than Amazon's do not know, and that clients of a signed address do not send.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
