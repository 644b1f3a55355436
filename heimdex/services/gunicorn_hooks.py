"""Gunicorn's configuration of the web service: a limit, and hooks of its processes."""

import os
import threading

from gunicorn.http import message

# A search has at most 1,000 characters. Percent-encoded, each takes up to 12 bytes; the rest is for ids of people and a cursor.
limit_request_line = 16 * 1024
# Gunicorn lowers larger limits to this one, and 0 would mean that there is none.
message.MAX_REQUEST_LINE = limit_request_line


def on_starting(arbiter: object) -> None:
    """Limit the statements of the web service: a request whose statement takes longer gets an error, and its thread serves others."""
    # libpq reads it. Workers of queues have no limit.
    os.environ.setdefault("PGOPTIONS", "-c statement_timeout=30s")


def post_worker_init(worker: object) -> None:
    """Load the search models in the background, so that the first search does not wait for them."""
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def _warm_up() -> None:
    # Gunicorn imports this module before the application and its settings.
    import structlog
    from django.core.exceptions import ImproperlyConfigured

    from heimdex.backends import get_image_embedder, get_text_embedder
    from heimdex.errors import ModelInputError, ModelUnavailable

    log = structlog.get_logger(__name__)
    for embedder in (get_text_embedder, get_image_embedder):
        try:
            embedder().embed_queries(["warm up"])
        except (ModelInputError, ModelUnavailable, ImproperlyConfigured) as error:
            log.warning("Cannot load a search model; search continues without it", reason=str(error))
        else:
            log.info("Search model loaded", model=embedder().identity.model)
