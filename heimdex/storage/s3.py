"""Media files in a bucket of S3, or of any service that speaks its protocol."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from django.utils.http import content_disposition_header

from heimdex.storage.base import CHUNK, DEFAULT_TYPE, MediaStorage, StorageError, UploadTarget, safe_filename, valid_key, valid_prefix
from heimdex.storage.options import S3Options

# CopyObject takes objects up to this size (Amazon S3 user guide); above, a copy must go in parts.
_COPY_AT_ONCE = 5 * 1024**3
_MISSING = {"404", "NoSuchKey", "NotFound"}
_DELETE_AT_ONCE = 1000
_IN_MEMORY = 16 * CHUNK


class S3Storage(MediaStorage):
    """Objects of one bucket; clients send and fetch them by presigned addresses, past this server."""

    def __init__(self, options: S3Options) -> None:
        self.options = options

    def upload_target(self, key: str, *, size: int, content_type: str, expires_in_s: int) -> UploadTarget:
        # A presigned PUT holds the client to a size only when Content-Length is among the signed headers.
        parameters = {"Bucket": self.options.bucket, "Key": valid_key(key), "ContentLength": size, "ContentType": content_type}
        url = self._signer.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_in_s)
        return UploadTarget("PUT", url, {"Content-Type": content_type}, datetime.now(UTC) + timedelta(seconds=expires_in_s))

    def download_url(self, key: str, expires_in_s: int, filename: str | None = None) -> str:
        parameters = {"Bucket": self.options.bucket, "Key": valid_key(key)}
        if filename is not None:
            parameters["ResponseContentDisposition"] = content_disposition_header(True, safe_filename(filename)) or "attachment"
        return cast(str, self._signer.generate_presigned_url("get_object", Params=parameters, ExpiresIn=expires_in_s))

    def size(self, key: str) -> int | None:
        try:
            return int(self._head(key)["ContentLength"])
        except FileNotFoundError:
            return None

    def open(self, key: str) -> BinaryIO:
        valid_key(key)
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(self._scratch()))  # noqa: SIM115  (the caller closes it)
        try:
            with self._explained(key):
                shutil.copyfileobj(self._client.get_object(Bucket=self.options.bucket, Key=key)["Body"], file, CHUNK)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cast(BinaryIO, file)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(dir=self._scratch(), suffix=PurePosixPath(valid_key(key)).suffix) as file:
            with self._explained(key):
                self._client.download_fileobj(self.options.bucket, key, file)
            file.flush()
            yield Path(file.name)

    def save(self, key: str, data: bytes | BinaryIO, content_type: str = DEFAULT_TYPE) -> None:
        source = BytesIO(data) if isinstance(data, bytes) else _Borrowed(data)
        with self._explained(key):
            self._client.upload_fileobj(source, self.options.bucket, valid_key(key), ExtraArgs={"ContentType": content_type})

    def move(self, src: str, dst: str) -> None:
        from boto3.s3.transfer import TransferConfig

        source, target = {"Bucket": self.options.bucket, "Key": valid_key(src)}, valid_key(dst)
        content_type = self._head(src).get("ContentType", DEFAULT_TYPE)
        with self._explained(src):
            self._client.copy(
                source,
                self.options.bucket,
                target,
                # A copy in parts forgets the type unless it is given again.
                ExtraArgs={"ContentType": content_type, "MetadataDirective": "REPLACE"},
                Config=TransferConfig(multipart_threshold=_COPY_AT_ONCE, multipart_chunksize=_COPY_AT_ONCE // 10),
            )
        self.delete(src)

    def delete(self, key: str) -> None:
        with self._explained(key):
            self._client.delete_object(Bucket=self.options.bucket, Key=valid_key(key))

    def delete_prefix(self, prefix: str) -> None:
        doomed = [{"Key": key} for key in self.keys(valid_prefix(prefix))]
        for start in range(0, len(doomed), _DELETE_AT_ONCE):
            batch = {"Objects": doomed[start : start + _DELETE_AT_ONCE], "Quiet": True}
            with self._explained(prefix):
                failed = self._client.delete_objects(Bucket=self.options.bucket, Delete=batch).get("Errors", [])
            if failed:
                raise StorageError(f"S3 kept {len(failed)} objects under {prefix}: {failed[0].get('Message', failed[0])}")

    def keys(self, prefix: str = "") -> Iterator[str]:
        start = valid_prefix(prefix) if prefix else ""
        with self._explained(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.options.bucket, Prefix=start):
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def check(self) -> list[str]:
        missing = [
            f"HEIMDEX_STORAGE is s3, but {name} is empty. Set it."
            for name, value in {
                "HEIMDEX_S3_BUCKET": self.options.bucket,
                "HEIMDEX_S3_ACCESS_KEY": self.options.access_key,
                "HEIMDEX_S3_SECRET_KEY": self.options.secret_key,
            }.items()
            if not value
        ]
        if missing:
            return missing
        try:
            with self._explained(""):
                self._client.head_bucket(Bucket=self.options.bucket)
        except FileNotFoundError:
            return [f"The bucket {self.options.bucket!r} does not exist at {self._place}. Make it, or correct HEIMDEX_S3_BUCKET."]
        except StorageError as error:
            return [str(error)]
        return []

    @property
    def _place(self) -> str:
        return self.options.endpoint_url or f"Amazon S3 in {self.options.region}"

    @cached_property
    def _client(self) -> Any:
        return self._connect(self.options.endpoint_url)

    @cached_property
    def _signer(self) -> Any:
        return self._connect(self.options.public_endpoint_url or self.options.endpoint_url)

    def _connect(self, endpoint_url: str) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint_url or None,
            region_name=self.options.region,
            aws_access_key_id=self.options.access_key,
            aws_secret_access_key=self.options.secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                retries={"mode": "standard", "max_attempts": 3},
                connect_timeout=5,
                # Checksums that other services than Amazon's do not know, and that clients of a signed address do not send.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _head(self, key: str) -> dict[str, Any]:
        with self._explained(key):
            return dict(self._client.head_object(Bucket=self.options.bucket, Key=valid_key(key)))

    def _scratch(self) -> Path:
        self.options.scratch.mkdir(parents=True, exist_ok=True)
        return self.options.scratch

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Turn errors of the client library into FileNotFoundError, or StorageError with the setting to look at."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise FileNotFoundError(f"The bucket {self.options.bucket!r} holds no {key}.") from error
            raise StorageError(
                f"S3 at {self._place} refused a request for bucket {self.options.bucket!r} ({code}). "
                "Check HEIMDEX_S3_BUCKET, HEIMDEX_S3_ACCESS_KEY, HEIMDEX_S3_SECRET_KEY and HEIMDEX_S3_REGION."
            ) from error
        except (BotoCoreError, Boto3Error) as error:
            raise StorageError(f"S3 at {self._place} cannot be reached ({error}). Check HEIMDEX_S3_ENDPOINT_URL.") from error


class _Borrowed:
    """A file that the client library reads but cannot close, because the caller still holds it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def close(self) -> None:
        """Leave the file open."""
