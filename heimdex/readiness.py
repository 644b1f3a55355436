"""Whether this web process can do all its work: a load balancer sends requests to processes that are ready."""

from threading import Event

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from heimdex.backends import get_image_embedder, get_text_embedder
from heimdex.database.reachability import is_database_reachable
from heimdex.errors import ModelInputError, ModelUnavailable

log = structlog.get_logger(__name__)

DATABASE_AWAY = "The database cannot be reached."
NOT_MIGRATED = "The database is older than this code: run `manage.py migrate`."
MODELS_NOT_LOADED = "The search models are being loaded."

_are_models_loaded, _is_migrated = Event(), Event()


def load_search_models() -> None:
    """Load the models that embed queries, so that the first search does not wait for them.

    A model that cannot be loaded does not keep this process from being ready: search continues without it, and would elsewhere too.
    """
    for embedder in (get_text_embedder, get_image_embedder):
        try:
            embedder().embed_queries(["warm up"])
        except (ModelInputError, ModelUnavailable, ImproperlyConfigured) as error:
            log.warning("Cannot load a search model; search continues without it", reason=str(error))
        else:
            log.info("Search model loaded", model=embedder().identity.model)
    _are_models_loaded.set()


def find_missing() -> list[str]:
    """Return what this process still lacks, one sentence each. The queue is no part of it: tasks wait in the database without it."""
    if not is_database_reachable():
        return [DATABASE_AWAY]
    missing = [] if _is_migrated.is_set() or _has_all_migrations() else [NOT_MIGRATED]
    return missing if _are_models_loaded.is_set() else [*missing, MODELS_NOT_LOADED]


def _has_all_migrations() -> bool:
    """Return whether every migration of this code is applied. Once it is, that is not asked again. A newer database has them too."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    _is_migrated.set()
    return True
