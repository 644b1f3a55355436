"""Gunicorn's configuration of the web service: what each of its processes does once it serves."""

import threading


def post_worker_init(worker: object) -> None:
    """Load the search's models in the background, so that the first search of a person need not wait for them."""
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def _warm_up() -> None:
    # Gunicorn reads this module before the application, and so before the settings.
    import structlog
    from django.core.exceptions import ImproperlyConfigured

    from heimdex.backends import image_embedder, text_embedder
    from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable

    log = structlog.get_logger(__name__)
    for embedder in (text_embedder, image_embedder):
        try:
            embedder().embed_queries(["warm up"])
        except (EmbedderError, EmbedderUnavailable, ImproperlyConfigured) as error:
            log.warning("Search model cannot be loaded; searches go on without it", reason=str(error))
        else:
            log.info("Search model loaded", model=embedder().identity.model)
