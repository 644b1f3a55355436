"""Gunicorn's configuration of the web service: its kind of worker, limits, and hooks of its processes."""

import os
import resource
import threading

# One process: threads share the loaded code, and a small machine has memory for one.
workers = 1
worker_class = "heimdex.web.worker.Worker"
worker_connections = 2000
asgi_lifespan = "off"
# For a worker whose event loop hangs. Requests have limits of their own.
timeout = 120
# A deploy or a restart waits for it.
graceful_timeout = 8
# Its socket would be in the user's home directory, shared by all installations.
control_socket_disable = True
# A search has at most 1,000 characters. Percent-encoded, each takes up to 12 bytes; the rest is for ids of people and a cursor.
limit_request_line = 16 * 1024

# Models that embed a query compute with one thread. More threads spin while they wait, which costs more processor time than they save.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

_STATEMENT_LIMIT_S = 30
# The server ends a statement at its limit. One that says nothing for longer hangs.
_ANSWER_LIMIT_S = _STATEMENT_LIMIT_S + 5


def on_starting(arbiter: object) -> None:
    """Limit the statements of the web service: a request whose statement takes longer gets an error, and its thread serves others."""
    # libpq reads it. Workers of queues have no limit.
    os.environ.setdefault("PGOPTIONS", f"-c statement_timeout={_STATEMENT_LIMIT_S}s")


def post_worker_init(worker: object) -> None:
    """Allow enough open files, limit the waits for the database, and load the search models, so that the first search need not wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # An upload or a download has a file besides its connection.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 3 * worker_connections)), hard))
    limit_answers()
    threading.Thread(target=_load_search_models, name="load-models", daemon=True).start()


def limit_answers() -> None:
    """Stop waiting for a database that hangs, so that the request gets an error and its thread serves others."""
    # Gunicorn imports this module before the application and its settings.
    from django.db import DEFAULT_DB_ALIAS, connections

    connections.settings[DEFAULT_DB_ALIAS]["ANSWER_TIMEOUT_S"] = _ANSWER_LIMIT_S


def _load_search_models() -> None:
    from heimdex.readiness import load_search_models

    load_search_models()
