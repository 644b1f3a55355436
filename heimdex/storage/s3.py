"""Media files in a bucket of S3, or of any service that speaks its protocol."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.utils.http import content_disposition_header

from heimdex.storage.base import (
    CHUNK,
    DEFAULT_TYPE,
    MediaStorage,
    StorageError,
    StoredFile,
    UploadTarget,
    safe_filename,
    valid_key,
    valid_prefix,
)
from heimdex.storage.options import S3Options

if TYPE_CHECKING:
    from heimdex.storage.bucket import Bucket

# CopyObject takes objects up to this size (Amazon S3 user guide); above, a copy must go in parts.
_COPY_AT_ONCE = 5 * 1024**3
_MISSING = {"404", "NoSuchKey", "NotFound"}
_DELETE_AT_ONCE = 1000
_IN_MEMORY = 16 * CHUNK


class S3Storage(MediaStorage):
    """Objects of one bucket; clients send and fetch them by presigned addresses, past this server.

    Built on django-storages; its client is used for what that lacks: a signed PUT, a copy within S3, and a list below a prefix.
    """

    def __init__(self, options: S3Options) -> None:
        self.options = options

    def upload_target(self, key: str, *, size: int, content_type: str, expires_in_s: int) -> UploadTarget:
        # A presigned PUT holds the client to a size only when Content-Length is among the signed headers.
        parameters = {"Bucket": self.options.bucket, "Key": valid_key(key), "ContentLength": size, "ContentType": content_type}
        url = self._public.connection.meta.client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_in_s)
        return UploadTarget("PUT", url, {"Content-Type": content_type}, datetime.now(UTC) + timedelta(seconds=expires_in_s))

    def download_url(self, key: str, expires_in_s: int, filename: str | None = None) -> str:
        parameters = {}
        if filename is not None:
            parameters["ResponseContentDisposition"] = content_disposition_header(True, safe_filename(filename)) or "attachment"
        return cast(str, self._public.url(valid_key(key), parameters, expires_in_s))

    def size(self, key: str) -> int | None:
        try:
            with self._explained(key):
                return cast(int, self._files.size(valid_key(key)))
        except FileNotFoundError:
            return None

    def open(self, key: str) -> BinaryIO:
        valid_key(key)
        # The file object of django-storages reads at first use, when errors are no longer explained, and into the system's temporary
        # directory, which may be small or in memory.
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(self._scratch()))  # noqa: SIM115  (the caller closes it)
        try:
            with self._explained(key):
                shutil.copyfileobj(self._files.bucket.Object(key).get()["Body"], file, CHUNK)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cast(BinaryIO, file)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(dir=self._scratch(), suffix=PurePosixPath(valid_key(key)).suffix) as file:
            with self._explained(key):
                self._files.bucket.Object(key).download_fileobj(file)
            file.flush()
            yield Path(file.name)

    def save(self, key: str, data: bytes | BinaryIO, content_type: str = DEFAULT_TYPE) -> None:
        source = BytesIO(data) if isinstance(data, bytes) else data
        with self._explained(key):
            self._files.save(valid_key(key), UploadedFile(source, content_type=content_type))

    def move(self, src: str, dst: str) -> None:
        from boto3.s3.transfer import TransferConfig

        bucket, target = self._files.bucket, valid_key(dst)
        with self._explained(src):
            content_type = bucket.Object(valid_key(src)).content_type or DEFAULT_TYPE
            bucket.Object(target).copy(
                {"Bucket": self.options.bucket, "Key": src},
                # A copy in parts forgets the type unless it is given again.
                ExtraArgs={"ContentType": content_type, "MetadataDirective": "REPLACE"},
                Config=TransferConfig(multipart_threshold=_COPY_AT_ONCE, multipart_chunksize=_COPY_AT_ONCE // 10),
            )
        self.delete(src)

    def delete(self, key: str) -> None:
        with self._explained(key):
            self._files.delete(valid_key(key))

    def delete_prefix(self, prefix: str) -> None:
        doomed = [{"Key": key} for key in self.keys(valid_prefix(prefix))]
        for start in range(0, len(doomed), _DELETE_AT_ONCE):
            batch = {"Objects": doomed[start : start + _DELETE_AT_ONCE], "Quiet": True}
            with self._explained(prefix):
                failed = self._client.delete_objects(Bucket=self.options.bucket, Delete=batch).get("Errors", [])
            if failed:
                raise StorageError(f"S3 kept {len(failed)} objects under {prefix}: {failed[0].get('Message', failed[0])}")

    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        # The list of django-storages is one directory deep and held in memory.
        start = valid_prefix(prefix) if prefix else ""
        with self._explained(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.options.bucket, Prefix=start):
                yield from (StoredFile(entry["Key"], entry["Size"], entry["LastModified"]) for entry in page.get("Contents", []))

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

    def prepare(self, site: str) -> None:
        """Make the bucket unless it is there, and let pages of `site` (as in https://host) send and fetch files.

        StorageError says which setting is wrong. A second call changes nothing.
        """
        rule = {"AllowedOrigins": [site], "AllowedMethods": ["GET", "HEAD", "PUT"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 3600}
        try:
            with self._explained(""):
                self._client.head_bucket(Bucket=self.options.bucket)
        except FileNotFoundError:
            # Amazon takes the name of every region but this one, which is where a bucket goes without it.
            elsewhere = not self.options.endpoint_url and self.options.region != "us-east-1"
            place = {"CreateBucketConfiguration": {"LocationConstraint": self.options.region}} if elsewhere else {}
            with self._explained(""):
                self._client.create_bucket(Bucket=self.options.bucket, **place)
        with self._explained(""):
            self._client.put_bucket_cors(Bucket=self.options.bucket, CORSConfiguration={"CORSRules": [rule]})

    @property
    def _place(self) -> str:
        return self.options.endpoint_url or f"Amazon S3 in {self.options.region}"

    @cached_property
    def _files(self) -> "Bucket":
        from heimdex.storage.bucket import bucket_at

        return bucket_at(self.options.endpoint_url, self.options)

    @cached_property
    def _public(self) -> "Bucket":
        """The same bucket under the name that clients know; only its addresses are used."""
        from heimdex.storage.bucket import bucket_at

        public = self.options.public_endpoint_url
        return bucket_at(public, self.options) if public else self._files

    @property
    def _client(self) -> Any:
        return self._files.connection.meta.client

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
