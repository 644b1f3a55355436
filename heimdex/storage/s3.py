"""Media files in an S3 bucket, of Amazon or of any compatible service."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

from django.core.files.uploadedfile import UploadedFile
from django.utils.http import content_disposition_header

from heimdex.storage.base import (
    CHUNK,
    DEFAULT_TYPE,
    FileReplacedError,
    MediaStorage,
    StorageError,
    StoredFile,
    UploadTarget,
    make_private,
    sanitize_filename,
    validate_key,
    validate_prefix,
)

if TYPE_CHECKING:
    from heimdex.storage.bucket import Bucket

# CopyObject is limited to this size (Amazon S3 user guide); larger objects are copied in parts.
_MAX_SINGLE_COPY = 5 * 1024**3
# Nobody can revoke a presigned URL: it works until it expires. S3 checks the time when a request starts, so long uploads end.
_MAX_UPLOAD_URL_S = 15 * 60
_REPLACED = {"412", "PreconditionFailed"}
_MISSING = {"404", "NoSuchKey", "NotFound"}
_DELETE_BATCH = 1000
# A server that is silent for so long, on so many attempts, is away: 45 seconds.
_TIMEOUT_S, _ATTEMPTS = 15, 3
# A server may be silent while it copies gigabytes.
_COPY_TIMEOUT_S = 60
# Each of them has `_ATTEMPTS` of its own.
_DOWNLOADS = 2
_CHECK_TIMEOUT_S = 10
_MAX_IN_MEMORY = 16 * CHUNK


class S3MediaStorage(MediaStorage):
    """Objects of one bucket, which clients send and fetch by presigned URLs without passing through this server.

    It uses django-storages, and that library's boto3 client for what it lacks: a presigned PUT, a copy within S3, and a recursive listing.
    `public_endpoint_url` is the endpoint in presigned URLs where clients cannot use `endpoint_url`; `scratch` holds temporary files.
    """

    def __init__(
        self, *, bucket: str, endpoint_url: str, region: str, access_key: str, secret_key: str, scratch: Path, public_endpoint_url: str = ""
    ) -> None:
        self.bucket = bucket
        self.endpoint_url = endpoint_url
        self.public_endpoint_url = public_endpoint_url
        self.region = region
        self._scratch = scratch
        self._credentials = {"access_key": access_key, "secret_key": secret_key}

    def presign_upload(self, key: str, *, size: int, content_type: str, expires_in_s: int) -> UploadTarget:
        expires_in_s = min(expires_in_s, _MAX_UPLOAD_URL_S)
        # A presigned PUT enforces the size only when Content-Length is a signed header.
        parameters = {"Bucket": self.bucket, "Key": validate_key(key), "ContentLength": size, "ContentType": content_type}
        url = self._public.connection.meta.client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_in_s)
        return UploadTarget("PUT", url, {"Content-Type": content_type}, datetime.now(UTC) + timedelta(seconds=expires_in_s))

    def presign_download(self, key: str, *, expires_in_s: int, filename: str | None = None) -> str:
        parameters = {}
        if filename is not None:
            parameters["ResponseContentDisposition"] = content_disposition_header(True, sanitize_filename(filename)) or "attachment"
        return cast(str, self._public.url(validate_key(key), parameters, expires_in_s))

    def list_client_origins(self) -> list[str]:
        if url := self.public_endpoint_url or self.endpoint_url:
            parts = urlsplit(url)
            return [f"{parts.scheme}://{parts.netloc}"]
        # Amazon redirects requests for a new bucket from the first host to the second. A name with dots matches no certificate, so it is
        # in the path.
        subdomain = "" if "." in self.bucket else f"{self.bucket}."
        return [f"https://{subdomain}s3.amazonaws.com", f"https://{subdomain}s3.{self.region}.amazonaws.com"]

    def size(self, key: str) -> int | None:
        try:
            with self._translate_errors(key):
                return cast(int, self._files.size(validate_key(key)))
        except FileNotFoundError:
            return None

    def open(self, key: str) -> BinaryIO:
        validate_key(key)
        # The file object of django-storages reads on first use, when errors are no longer translated, and into the system's temporary
        # directory, which may be small or in memory.
        file = tempfile.SpooledTemporaryFile(max_size=_MAX_IN_MEMORY, dir=str(self._ensure_scratch()))  # noqa: SIM115  (the caller closes it)
        try:
            with self._translate_errors(key):
                shutil.copyfileobj(self._files.bucket.Object(key).get()["Body"], file, CHUNK)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cast(BinaryIO, file)

    @contextmanager
    def open_local_path(self, key: str) -> Iterator[Path]:
        from boto3.s3.transfer import TransferConfig

        with tempfile.NamedTemporaryFile(dir=self._ensure_scratch(), suffix=PurePosixPath(validate_key(key)).suffix) as file:
            self._check_space(key)
            with self._translate_errors(key):
                self._files.bucket.Object(key).download_fileobj(file, Config=TransferConfig(num_download_attempts=_DOWNLOADS))
            file.flush()
            yield Path(file.name)

    def save(self, key: str, data: bytes | BinaryIO, content_type: str = DEFAULT_TYPE) -> None:
        source = BytesIO(data) if isinstance(data, bytes) else data
        with self._translate_errors(key):
            self._files.save(validate_key(key), UploadedFile(source, content_type=content_type))

    def move(self, src: str, dst: str) -> None:
        self.copy(src, dst)
        self.delete(src)

    def copy(self, src: str, dst: str) -> None:
        from boto3.s3.transfer import TransferConfig

        target = validate_key(dst)
        with self._translate_errors(src):
            source = self._files.bucket.Object(validate_key(src))
            self._patient.bucket.Object(target).copy(
                {"Bucket": self.bucket, "Key": src},
                ExtraArgs={
                    # A copy in parts loses the type unless it is passed again.
                    "ContentType": source.content_type or DEFAULT_TYPE,
                    "MetadataDirective": "REPLACE",
                    # Otherwise parts of two files could become one, if a client replaces the file during the copy.
                    "CopySourceIfMatch": source.e_tag,
                },
                Config=TransferConfig(multipart_threshold=_MAX_SINGLE_COPY, multipart_chunksize=_MAX_SINGLE_COPY // 10),
            )

    def delete(self, key: str) -> None:
        with self._translate_errors(key):
            self._files.delete(validate_key(key))

    def delete_prefix(self, prefix: str) -> None:
        objects = [{"Key": key} for key in self.list_keys(validate_prefix(prefix))]
        for start in range(0, len(objects), _DELETE_BATCH):
            batch = {"Objects": objects[start : start + _DELETE_BATCH], "Quiet": True}
            with self._translate_errors(prefix):
                failed = self._client.delete_objects(Bucket=self.bucket, Delete=batch).get("Errors", [])
            if failed:
                raise StorageError(f"S3 did not delete {len(failed)} objects under {prefix}: {failed[0].get('Message', failed[0])}")

    def list_files(self, prefix: str = "") -> Iterator[StoredFile]:
        # The listing of django-storages is one directory deep and held in memory.
        start = validate_prefix(prefix) if prefix else ""
        with self._translate_errors(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start):
                yield from (StoredFile(entry["Key"], entry["Size"], entry["LastModified"]) for entry in page.get("Contents", []))

    def measure_free_bytes(self) -> int | None:
        # S3 does not report it. A service that is full refuses the upload itself.
        return None

    @property
    def scratch(self) -> Path:
        return self._scratch

    def measure_scratch_bytes(self) -> int:
        return shutil.disk_usage(self._ensure_scratch()).free

    def check(self) -> list[str]:
        missing = [
            f"HEIMDEX_STORAGE is s3, but {name} is empty. Set it."
            for name, value in {
                "HEIMDEX_S3_BUCKET": self.bucket,
                "HEIMDEX_S3_ACCESS_KEY": self._credentials["access_key"],
                "HEIMDEX_S3_SECRET_KEY": self._credentials["secret_key"],
            }.items()
            if not value
        ]
        if missing:
            return missing
        try:
            with self._translate_errors(""):
                self._impatient.connection.meta.client.head_bucket(Bucket=self.bucket)
        except FileNotFoundError:
            return [f"The bucket {self.bucket!r} does not exist at {self._place}. Create it, or correct HEIMDEX_S3_BUCKET."]
        except StorageError as error:
            return [str(error)]
        return []

    def prepare(self, site: str) -> None:
        """Create the bucket if it is missing, and allow pages of `site` (such as https://host) to send and fetch files.

        A second call changes nothing. Raise StorageError, which names the wrong setting.
        """
        rule = {"AllowedOrigins": [site], "AllowedMethods": ["GET", "HEAD", "PUT"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 3600}
        try:
            with self._translate_errors(""):
                self._client.head_bucket(Bucket=self.bucket)
        except FileNotFoundError:
            # Amazon accepts every region here except us-east-1, its default.
            needs_region = not self.endpoint_url and self.region != "us-east-1"
            location = {"CreateBucketConfiguration": {"LocationConstraint": self.region}} if needs_region else {}
            with self._translate_errors(""):
                self._client.create_bucket(Bucket=self.bucket, **location)
        with self._translate_errors(""):
            self._client.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [rule]})

    @property
    def _place(self) -> str:
        return self.endpoint_url or f"Amazon S3 in {self.region}"

    @cached_property
    def _files(self) -> "Bucket":
        return self._open_bucket(self.endpoint_url)

    @cached_property
    def _public(self) -> "Bucket":
        """The same bucket at the clients' endpoint, used only to presign URLs."""
        return self._open_bucket(self.public_endpoint_url) if self.public_endpoint_url else self._files

    @cached_property
    def _patient(self) -> "Bucket":
        """The same bucket for copies of large files."""
        return self._open_bucket(self.endpoint_url, timeout_s=_COPY_TIMEOUT_S)

    @cached_property
    def _impatient(self) -> "Bucket":
        """The same bucket for checks, which must end soon."""
        return self._open_bucket(self.endpoint_url, timeout_s=_CHECK_TIMEOUT_S, attempts=1)

    def _open_bucket(self, endpoint_url: str, *, timeout_s: int | None = None, attempts: int | None = None) -> "Bucket":
        from heimdex.storage.bucket import open_bucket

        return open_bucket(
            name=self.bucket,
            endpoint_url=endpoint_url,
            region=self.region,
            timeout_s=timeout_s or _TIMEOUT_S,
            attempts=attempts or _ATTEMPTS,
            **self._credentials,
        )

    @property
    def _client(self) -> Any:
        return self._files.connection.meta.client

    def _ensure_scratch(self) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        make_private(self._scratch)
        return self._scratch

    def _check_space(self, key: str) -> None:
        """Raise OSError (ENOSPC) when a file does not fit on the disk, before it fills the disk and disturbs others."""
        size = self.size(key)
        if size is not None and size > self.measure_scratch_bytes():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._scratch))

    @contextmanager
    def _translate_errors(self, key: str) -> Iterator[None]:
        """Translate errors of the client library to FileNotFoundError, or to StorageError, which names the setting to check."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise FileNotFoundError(f"The bucket {self.bucket!r} has no file {key}.") from error
            if code in _REPLACED:
                raise FileReplacedError(f"The file {key} was replaced while it was copied.") from error
            raise StorageError(
                f"S3 at {self._place} rejected a request for bucket {self.bucket!r} ({code}). "
                "Check HEIMDEX_S3_BUCKET, HEIMDEX_S3_ACCESS_KEY, HEIMDEX_S3_SECRET_KEY and HEIMDEX_S3_REGION."
            ) from error
        except (BotoCoreError, Boto3Error) as error:
            raise StorageError(f"S3 at {self._place} cannot be reached ({error}). Check HEIMDEX_S3_ENDPOINT_URL.") from error
