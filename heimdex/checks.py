"""System checks of an installation: its variables, its tasks, its role in the database, the queue's server and its models."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from heimdex.environment import find_unknown_variables
from heimdex.media.bubblewrap import find_obstacle
from heimdex.media.confinement import find_gaps
from heimdex.queue import QUEUES, ping
from heimdex.redis_broker import QueueUnavailable

ENVIRONMENT_TAG = "environment"
MODELS_TAG = "models"
QUEUE_TAG = "queue"


def check_variables(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each variable that begins like a setting and is none, such as a misspelled one."""
    hint = "docs/reference/configuration.md lists all settings."
    return [Warning(sentence, hint=hint, id="heimdex.W014") for sentence in find_unknown_variables(os.environ)]


def check_tasks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for every registered task whose path does not resolve or whose queue has no workers."""
    errors: list[CheckMessage] = []
    for task in settings.QUEUE_TASKS:
        try:
            task.resolve()
        except ImportError as error:
            errors.append(
                Error(
                    f"The task {task.path!r} does not resolve: {error}.",
                    hint="Correct the path in settings.QUEUE_TASKS, or install the missing package.",
                    id="heimdex.E010",
                )
            )
        if task.queue not in QUEUES:
            errors.append(
                Error(f"The task {task.path!r} names the unknown queue {task.queue!r}.", hint=f"Use one of {QUEUES}.", id="heimdex.E011")
            )
    return errors


def check_confinement(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each layer around decoders that this system does not offer."""
    obstacle = find_obstacle()
    return [Warning(gap, id="heimdex.W013") for gap in (*find_gaps(), *([obstacle] if obstacle else []))]


def check_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning when passwords and sessions travel unencrypted. It replaces those of Django, which name none of our variables."""
    if settings.SECURE_SSL_REDIRECT:
        return []
    text = "HTTPS is off: passwords, sessions and videos can be read on their way, and HTTP is not redirected."
    hint = "Put a TLS proxy before the web server, and set HEIMDEX_HTTPS=true. On a machine that only you reach, nothing need be done."
    return [Warning(text, hint=hint, id="heimdex.W016")]


def check_database_role(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning when the application's role in the database is a superuser. A database that cannot be reached is not checked."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
            role, is_superuser = cursor.fetchone()
    except OperationalError:
        return []
    if not is_superuser:
        return []
    text = f"The application's role {role!r} is a superuser of the database: whoever injects SQL can read files and run programs there."
    hint = (
        "Let HEIMDEX_DATABASE_URL name the role heimdex_app, and migrate with another role (docs/how-to/run-on-many-machines.md). "
        "The embedded server does so after a restart."
    )
    return [Warning(text, hint=hint, id="heimdex.W015")]


def check_queue_server(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error when the Redis that HEIMDEX_REDIS_URL names cannot be reached.

    Only the command `check` registers it: a migration must not fail because the queue is down.
    """
    try:
        ping()
    except QueueUnavailable as error:
        return [Error(str(error), id="heimdex.E012")]
    return []


def check_models(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for every problem of a configured model, without loading weights.

    Only `check --tag models` registers it: migrations and web servers must not fail for a model that only workers need.
    """
    return [
        Error(problem, obj=f"MODEL_BACKENDS[{alias!r}]", id="heimdex.E001")
        for alias in settings.MODEL_BACKENDS
        for problem in _find_model_problems(alias)
    ]


def _find_model_problems(alias: str) -> list[str]:
    from heimdex.backends import backends

    try:
        problems: list[str] = backends[alias].check()
    except ImproperlyConfigured as error:
        return [str(error)]
    return problems
