"""Upload to and download from local storage, by signed address.

The token is the whole right, so there is no log-in, and no CSRF: a cookie would add nothing here.
"""

import errno
import os
from collections.abc import Iterator
from typing import BinaryIO

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.http.request import UnreadablePostError
from django.utils.http import content_disposition_header, http_date
from django.views.decorators.csrf import csrf_exempt

from heimdex.storage import media_storage
from heimdex.storage.base import CHUNK
from heimdex.storage.local import LocalStorage
from heimdex.storage.ranges import ByteRange, UnsatisfiableRangeError, requested_range
from heimdex.storage.tokens import InvalidTokenError, ReadRight, WriteRight

# What a person uploaded must never act in this site's name, whatever it claims to be.
_CONTENT_POLICY = "sandbox; default-src 'none'"


@csrf_exempt
def media_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Store the body of a PUT, or answer a GET with the file."""
    storage = media_storage()
    if not isinstance(storage, LocalStorage):
        raise Http404("Files of this installation are not served from here.")
    try:
        match request.method:
            case "PUT":
                return _store(request, storage, WriteRight.from_token(token))
            case "GET" | "HEAD":
                return _serve(request, storage, ReadRight.from_token(token))
    except InvalidTokenError as error:
        return _problem(403, str(error))
    response = _problem(405, f"{request.method} is not possible here.")
    response["Allow"] = "GET, HEAD, PUT"
    return response


def _store(request: HttpRequest, storage: LocalStorage, right: WriteRight) -> HttpResponse:
    if problem := _refusal(request, right):
        return problem
    try:
        with storage.scratch_file() as (file, path):
            received = _receive(request, file, right.size)
            if received != right.size:
                return _problem(400, f"The upload ended after {received} of {right.size} bytes. Send the file again.")
            storage.adopt(file, path, right.key, right.content_type)
    except UnreadablePostError:
        return _problem(400, "The connection broke during the upload. Send the file again.")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _problem(507, "The server's disk is full. Free space there, then send the file again.")
    return HttpResponse(status=200)


def _refusal(request: HttpRequest, right: WriteRight) -> HttpResponse | None:
    """Return why the body will not even be read, from its headers."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in request.META or not length:
        return _problem(411, "Send the file with a Content-Length header; chunked transfer is not taken.")
    if not length.isdecimal() or int(length) != right.size:
        status = 413 if length.isdecimal() and int(length) > right.size else 400
        return _problem(status, f"Content-Length is {length[:30]}, but {right.size} bytes were announced.")
    sent = request.META.get("CONTENT_TYPE", "")
    if sent.strip().lower() != right.content_type.lower():
        return _problem(400, f"Content-Type is {sent[:100]!r}, but {right.content_type!r} was announced.")
    return None


def _receive(request: HttpRequest, file: BinaryIO, size: int) -> int:
    received = 0
    while received < size and (chunk := request.read(min(CHUNK, size - received))):
        file.write(chunk)
        received += len(chunk)
    return received


def _serve(request: HttpRequest, storage: LocalStorage, right: ReadRight) -> HttpResponseBase:
    try:
        file = storage.open(right.key)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return _problem(404, "This file does not exist any more.")
    status = os.fstat(file.fileno())
    size, modified = status.st_size, http_date(status.st_mtime)
    asked = request.headers.get("Range") if request.headers.get("If-Range", modified) == modified else None
    try:
        part = requested_range(asked, size)
    except UnsatisfiableRangeError as error:
        file.close()
        response: HttpResponseBase = _problem(416, f"The file has {size} bytes.")
        response["Content-Range"] = str(error)
        return response
    whole = part or ByteRange(0, size)
    response = StreamingHttpResponse(_Region(file, whole), status=206 if part else 200, content_type=storage.content_type(right.key))
    response["Content-Length"] = str(whole.length)
    response["Accept-Ranges"] = "bytes"
    response["Last-Modified"] = modified
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _CONTENT_POLICY
    response["Cache-Control"] = "private, max-age=3600"
    if part:
        response["Content-Range"] = part.content_range(size)
    if disposition := content_disposition_header(right.filename is not None, right.filename or ""):
        response["Content-Disposition"] = disposition
    return response


class _Region:
    """A stretch of an open file as chunks; closing it closes the file, also when nothing was read (HEAD)."""

    def __init__(self, file: BinaryIO, part: ByteRange) -> None:
        self._file, self._part = file, part

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._part.start)
        left = self._part.length
        while left and (chunk := self._file.read(min(CHUNK // 4, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()


def _problem(status: int, message: str) -> HttpResponse:
    return JsonResponse({"detail": message}, status=status)
