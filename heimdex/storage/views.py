"""Upload to and download from local storage by presigned URL.

The token alone authorizes the request, so there is no login and no CSRF check. An upload must still be open, too.
"""

import errno
import os
from collections.abc import Iterator
from typing import BinaryIO

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.http.request import UnreadablePostError
from django.utils.http import content_disposition_header, http_date
from django.views.decorators.csrf import csrf_exempt

from heimdex.errors import OutOfSpace
from heimdex.storage import get_media_storage
from heimdex.storage.base import CHUNK
from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from heimdex.storage.received import RECEIVED, Announced, Received
from heimdex.storage.tokens import DownloadGrant, InvalidTokenError, UploadGrant
from heimdex.uploads.flow import check_disk
from heimdex.uploads.open_uploads import UploadEnded, UploadForbidden, check_is_open, hold_open

# An uploaded file must never run with this site's origin, whatever its declared type.
_CONTENT_POLICY = "sandbox; default-src 'none'"


@csrf_exempt
def serve_media_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Store the body of a PUT, or return the file to a GET."""
    storage = get_media_storage()
    if not isinstance(storage, LocalMediaStorage):
        raise Http404("This installation does not serve files from here.")
    try:
        match request.method:
            case "PUT":
                return _store(request, storage, UploadGrant.from_token(token))
            case "GET" | "HEAD":
                return _serve(request, storage, DownloadGrant.from_token(token))
    except InvalidTokenError as error:
        return _build_error(403, str(error))
    response = _build_error(405, f"The method {request.method} is not allowed.")
    response["Allow"] = "GET, HEAD, PUT"
    return response


def _store(request: HttpRequest, storage: LocalMediaStorage, grant: UploadGrant) -> HttpResponse:
    if rejection := _check_headers(request, grant):
        return rejection
    try:
        match request.META.get(RECEIVED):
            case Announced():
                _check_upload(grant)
                return HttpResponse(status=200)
            case Received() as received:
                return _commit(received, storage, grant)
        # A server that does not receive bodies itself, such as `manage.py runserver`.
        _check_upload(grant)
        with storage.open_scratch_file() as (file, path):
            return _commit(Received(file, path, _receive(request, file, grant.size)), storage, grant)
    except OutOfSpace as error:
        return _build_error(507, str(error))
    except UploadForbidden as error:
        return _build_error(403, str(error))
    except UploadEnded as error:
        return _build_error(409, str(error))
    except UnreadablePostError:
        return _build_error(400, "The connection was lost during the upload. Upload the file again.")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _build_error(507, "The server's disk is full. Free some space, then upload the file again.")


def _check_upload(grant: UploadGrant) -> None:
    check_disk(grant.size)
    check_is_open(grant.key)


def _commit(received: Received, storage: LocalMediaStorage, grant: UploadGrant) -> HttpResponse:
    if received.error:
        raise received.error
    if received.size != grant.size:
        return _build_error(400, f"The upload ended after {received.size} of {grant.size} bytes. Upload the file again.")
    # A slow client may outlast its URL. Then the upload has ended, and nothing would delete the file.
    grant.check_expiry()
    with hold_open(grant.key):
        storage.commit(received.file, received.path, grant.key, grant.content_type)
    return HttpResponse(status=200)


def _check_headers(request: HttpRequest, grant: UploadGrant) -> HttpResponse | None:
    """Return the error that the request's headers cause, before the body is read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in request.META or not length:
        return _build_error(411, "A Content-Length header is required; chunked transfer encoding is not supported.")
    if not length.isdecimal() or int(length) != grant.size:
        status = 413 if length.isdecimal() and int(length) > grant.size else 400
        return _build_error(status, f"Content-Length is {length[:30]}, but {grant.size} bytes were announced.")
    sent = request.META.get("CONTENT_TYPE", "")
    if sent.strip().lower() != grant.content_type.lower():
        return _build_error(400, f"Content-Type is {sent[:100]!r}, but {grant.content_type!r} was announced.")
    return None


def _receive(request: HttpRequest, file: BinaryIO, size: int) -> int:
    received = 0
    while received < size and (chunk := request.read(min(CHUNK, size - received))):
        file.write(chunk)
        received += len(chunk)
    return received


def _serve(request: HttpRequest, storage: LocalMediaStorage, grant: DownloadGrant) -> HttpResponseBase:
    try:
        file = storage.open(grant.key)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return _build_error(404, "This file no longer exists.")
    status = os.fstat(file.fileno())
    size, modified = status.st_size, http_date(status.st_mtime)
    header = request.headers.get("Range") if request.headers.get("If-Range", modified) == modified else None
    try:
        part = parse_range(header, size)
    except UnsatisfiableRangeError as error:
        file.close()
        response: HttpResponseBase = _build_error(416, f"The file has {size} bytes.")
        response["Content-Range"] = str(error)
        return response
    whole = part or ByteRange(0, size)
    response = StreamingHttpResponse(_FileSection(file, whole), status=206 if part else 200, content_type=storage.content_type(grant.key))
    response["Content-Length"] = str(whole.length)
    response["Accept-Ranges"] = "bytes"
    response["Last-Modified"] = modified
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _CONTENT_POLICY
    response["Cache-Control"] = "private, max-age=3600"
    if part:
        response["Content-Range"] = part.format_content_range(size)
    if disposition := content_disposition_header(grant.filename is not None, grant.filename or ""):
        response["Content-Disposition"] = disposition
    return response


class _FileSection:
    """A byte range of an open file as chunks; closing it closes the file, even when nothing was read (HEAD)."""

    def __init__(self, file: BinaryIO, part: ByteRange) -> None:
        self._file, self._part = file, part

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._part.start)
        remaining = self._part.length
        while remaining and (chunk := self._file.read(min(CHUNK // 16, remaining))):
            remaining -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()


def _build_error(status: int, message: str) -> HttpResponse:
    return JsonResponse({"detail": message}, status=status)
