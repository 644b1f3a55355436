"""A client of Heimdex's HTTP API, as anybody could write one."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

_TIMEOUT_S = 120
_CHUNK = 256 * 1024


class ApiError(Exception):
    """The server refused a request; the message holds its answer."""


class _Reporting:
    """A file that tells how much of it has been sent."""

    def __init__(self, file: BinaryIO, sent: Callable[[int], None]) -> None:
        self._file = file
        self._sent = sent

    def read(self, size: int = -1) -> bytes:
        """Read on, and report."""
        data = self._file.read(min(size, _CHUNK) if size > 0 else _CHUNK)
        self._sent(len(data))
        return data


class Client:
    """One person's log-in to one server."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._token = ""
        # A proxy of the environment must not stand between us and this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def log_in(self, email: str, password: str) -> None:
        """Get a token for the requests that follow; ApiError when the password is wrong."""
        self._token = self.post("/v1/auth/token", {"email": email, "password": password})["access"]

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET."""
        return self._ask("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer to a POST."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> None:
        """Delete what is at the path."""
        self._ask("DELETE", path)

    def upload(self, path: Path, mime_type: str, title: str, sent: Callable[[int], None]) -> str:
        """Announce a file, send its bytes and complete; return the video's id."""
        size = path.stat().st_size
        body = {"filename": path.name, "mime_type": mime_type, "size_bytes": size, "title": title, "description": ""}
        announced = self.post("/v1/videos/upload/init", body)
        self._put(path, announced["upload"], sent)
        self.post("/v1/videos/upload/complete", {"video_id": announced["video_id"]})
        return str(announced["video_id"])

    def upload_photo(self, person_id: str, path: Path, mime_type: str) -> None:
        """Announce a photo of a person, send its bytes and complete."""
        photos = f"/v1/persons/{person_id}/photos"
        announced = self.post(f"{photos}/upload-url", {"filename": path.name, "mime_type": mime_type, "size_bytes": path.stat().st_size})
        self._put(path, announced, lambda sent: None)
        self.post(f"{photos}/{announced['photo_id']}/complete", {})

    def _put(self, path: Path, target: dict[str, Any], sent: Callable[[int], None]) -> None:
        with path.open("rb") as file:
            headers = {**target["headers"], "Content-Length": str(path.stat().st_size)}
            request = urllib.request.Request(target["url"], data=_Reporting(file, sent), headers=headers, method=target["method"])
            self._send(request)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        answer = self._send(urllib.request.Request(self._address + path, data=data, headers=headers, method=method))
        return json.loads(answer) if answer else None

    def _send(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise ApiError(
                f"{request.get_method()} {request.full_url.split('?')[0]} → {error.code}: {error.read().decode()[:500]}"
            ) from error
        except urllib.error.URLError as error:
            raise ApiError(f"The server at {self._address} cannot be reached: {error.reason}") from error
