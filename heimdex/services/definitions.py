"""The services of a one-machine installation: their commands, their environment and their readiness checks."""

import http.client
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from heimdex.environment import CHECKOUT, Environment
from heimdex.services.heartbeat import Heartbeat

# Equal to heimdex.queue.QUEUES (a test compares them), which needs Django's settings.
QUEUES = ("uploads", "reprocess")


@dataclass(frozen=True)
class Service:
    """`is_ready` receives the main process and returns whether the service can do its work."""

    name: str
    command: tuple[str, ...]
    working_directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    is_ready: Callable[[psutil.Process], bool] = lambda process: True
    # A service without heartbeats counts as working while its process exists.
    heartbeat: Heartbeat | None = None


def define_migration(environment: Environment) -> Service:
    """Return the migration, which runs to its end before any service that uses the database."""
    return Service("migrate", (*_build_manage_command(), "migrate", "--noinput"), CHECKOUT, _build_variables(environment))


def define_services(environment: Environment, web_port: int) -> tuple[Service, ...]:
    """Return the web server on 127.0.0.1:`web_port` and one cluster of workers per queue."""
    web = (
        *(sys.executable, "-m", "gunicorn", "heimdex.asgi"),
        *("--bind", f"127.0.0.1:{web_port}"),
        *("--config", "python:heimdex.services.gunicorn_hooks"),
        # All state is under one directory, including the heartbeat file.
        *("--worker-tmp-dir", str(environment.home / "run")),
    )
    variables = {**_build_variables(environment), "HEIMDEX_WEB_PORT": str(web_port)}
    return (
        Service("web", web, CHECKOUT, variables, build_http_probe(web_port, "/healthz", _choose_host(environment))),
        *(
            Service(
                queue,
                (*_build_manage_command(), "work", queue),
                CHECKOUT,
                {**variables, "Q_CLUSTER_NAME": queue},
                has_grandchildren,
                Heartbeat.of(environment.home, queue),
            )
            for queue in QUEUES
        ),
    )


def build_http_probe(port: int, path: str, host: str) -> Callable[[psutil.Process], bool]:
    """Return a readiness check: a GET of `path` with the header `Host: host` returns 200."""

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
    """Return whether a django-q cluster has started its workers: main process → sentinel → workers."""
    try:
        return any(child.children() for child in process.children())
    except psutil.NoSuchProcess:
        return False


def _choose_host(environment: Environment) -> str:
    """Return the first allowed host: Django rejects other values of Host, and 127.0.0.1 may be one of them."""
    first = environment.allowed_hosts.split(",")[0].strip().lstrip(".")
    return first if first not in ("", "*") else "127.0.0.1"


def _build_manage_command() -> tuple[str, ...]:
    return (sys.executable, str(CHECKOUT / "manage.py"))


def _build_variables(environment: Environment) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "heimdex.settings",
        "HEIMDEX_HOME": str(environment.home),
        "PYTHONUNBUFFERED": "1",
    }
