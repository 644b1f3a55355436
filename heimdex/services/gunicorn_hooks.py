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


def on_starting(arbiter: object) -> None:
    """Limit the statements of the web service: a request whose statement takes longer gets an error, and its thread serves others."""
    # libpq reads it. Workers of queues have no limit.
    os.environ.setdefault("PGOPTIONS", "-c statement_timeout=30s")


def post_worker_init(worker: object) -> None:
    """Allow enough open files. Load the search models in the background, so that the first search does not wait for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # An upload or a download has a file besides its connection.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 3 * worker_connections)), hard))
    threading.Thread(target=_load_search_models, name="load-models", daemon=True).start()


def _load_search_models() -> None:
    # Gunicorn imports this module before the application and its settings.
    from heimdex.readiness import load_search_models

    load_search_models()
