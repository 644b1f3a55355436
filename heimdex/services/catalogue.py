"""The services of a one-machine installation."""

import os
import sys

from heimdex.environment import CHECKOUT, Environment
from heimdex.services.service import Service, answers, has_grandchildren

QUEUES = ("uploads", "reprocess")


def migration(environment: Environment) -> Service:
    """Return what runs once, to its end, before anything that uses the database."""
    return Service("migrate", (*_manage(), "migrate", "--noinput"), CHECKOUT, _variables(environment))


def services(environment: Environment, web_port: int) -> tuple[Service, ...]:
    """Return the web server on 127.0.0.1:`web_port` and one cluster of workers for each queue."""
    web = (
        *(sys.executable, "-m", "gunicorn", "heimdex.wsgi"),
        *("--bind", f"127.0.0.1:{web_port}"),
        *("--config", "python:heimdex.services.gunicorn_hooks"),
        # One process: threads share the loaded code, and a small machine has memory for one.
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(environment.web_threads)),
        *("--timeout", "120", "--graceful-timeout", "15"),
        # All state lies under one directory, the heartbeat file too.
        *("--worker-tmp-dir", str(environment.home / "run")),
        # Its socket would lie in the home directory of the user, shared by all installations.
        "--no-control-socket",
    )
    variables = {**_variables(environment), "HEIMDEX_WEB_PORT": str(web_port)}
    return (
        Service("web", web, CHECKOUT, variables, answers(web_port, "/healthz", _host(environment))),
        *(
            Service(queue, (*_manage(), "work", queue), CHECKOUT, {**variables, "Q_CLUSTER_NAME": queue}, has_grandchildren)
            for queue in QUEUES
        ),
    )


def _host(environment: Environment) -> str:
    """Django refuses a request whose Host is not in the list, and 127.0.0.1 need not be."""
    first = environment.allowed_hosts.split(",")[0].strip().lstrip(".")
    return first if first not in ("", "*") else "127.0.0.1"


def _manage() -> tuple[str, ...]:
    return (sys.executable, str(CHECKOUT / "manage.py"))


def _variables(environment: Environment) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "heimdex.settings",
        "HEIMDEX_HOME": str(environment.home),
        "PYTHONUNBUFFERED": "1",
    }
