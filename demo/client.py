"""A small client of Heimdex's HTTP API, with the standard library only."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

_TIMEOUT_S = 120
_CHUNK = 256 * 1024


class ApiError(Exception):
    """The server has refused a request. The message contains its answer; `status` is the HTTP status, or 0 without an answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _ProgressFile:
    """A file that reports how many bytes were read from it."""

    def __init__(self, file: BinaryIO, on_sent: Callable[[int], None]) -> None:
        self._file = file
        self._on_sent = on_sent

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes and report their number."""
        data = self._file.read(min(size, _CHUNK) if size > 0 else _CHUNK)
        self._on_sent(len(data))
        return data


class Client:
    """A session of one user on one server."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._token = ""
        self._credentials: dict[str, Any] = {}
        # Ignore HTTP_PROXY: the server is on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def log_in(self, email: str, password: str) -> None:
        """Get a token for later requests. Raise ApiError when the password is wrong."""
        self._credentials = {"email": email, "password": password}
        self._renew_token()

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET."""
        return self._request("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer to a POST."""
        return self._request("POST", path, body)

    def delete(self, path: str) -> None:
        """Send a DELETE."""
        self._request("DELETE", path)

    def upload(self, path: Path, mime_type: str, title: str, on_sent: Callable[[int], None]) -> str:
        """Start an upload, send the bytes, complete the upload, and return the video's id."""
        size = path.stat().st_size
        body = {"filename": path.name, "mime_type": mime_type, "size_bytes": size, "title": title, "description": ""}
        upload = self.post("/v1/videos/upload/init", body)
        self._put(path, upload["upload"], on_sent)
        self.post("/v1/videos/upload/complete", {"video_id": upload["video_id"]})
        return str(upload["video_id"])

    def upload_photo(self, person_id: str, path: Path, mime_type: str) -> None:
        """Upload a photo of a person."""
        photos = f"/v1/persons/{person_id}/photos"
        upload = self.post(f"{photos}/upload-url", {"filename": path.name, "mime_type": mime_type, "size_bytes": path.stat().st_size})
        self._put(path, upload, lambda sent: None)
        self.post(f"{photos}/{upload['photo_id']}/complete", {})

    def _put(self, path: Path, target: dict[str, Any], on_sent: Callable[[int], None]) -> None:
        with path.open("rb") as file:
            headers = {**target["headers"], "Content-Length": str(path.stat().st_size)}
            request = urllib.request.Request(target["url"], data=_ProgressFile(file, on_sent), headers=headers, method=target["method"])
            self._send(request)

    def _renew_token(self) -> None:
        self._token = ""
        self._token = self._request_once("POST", "/v1/auth/token", self._credentials)["access"]

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request. A token is valid for 15 minutes, so log in again once when the server rejects it."""
        try:
            return self._request_once(method, path, body)
        except ApiError as error:
            if error.status != HTTPStatus.UNAUTHORIZED or not self._token:
                raise
        self._renew_token()
        return self._request_once(method, path, body)

    def _request_once(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        answer = self._send(urllib.request.Request(self._url + path, data=data, headers=headers, method=method))
        return json.loads(answer) if answer else None

    def _send(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise ApiError(
                f"{request.get_method()} {request.full_url.split('?')[0]} → {error.code}: {error.read().decode()[:500]}", error.code
            ) from error
        except urllib.error.URLError as error:
            raise ApiError(f"The server at {self._url} cannot be reached: {error.reason}") from error
