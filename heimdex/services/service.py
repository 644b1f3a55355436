"""What a service is: a command, its environment, and how to tell that it works."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Service:
    """`is_ready` gets the main process and tells whether the service has begun its work."""

    name: str
    command: tuple[str, ...]
    working_directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    is_ready: Callable[[psutil.Process], bool] = lambda process: True


def answers(port: int, path: str, host: str) -> Callable[[psutil.Process], bool]:
    """Return a test that is passed once a GET of `path` with the header `Host: host` is answered with 200."""

    def probe(process: psutil.Process) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def has_grandchildren(process: psutil.Process) -> bool:
    """Tell whether a django-q cluster has got as far as its workers: main process → guard → workers."""
    try:
        return any(child.children() for child in process.children())
    except psutil.NoSuchProcess:
        return False
