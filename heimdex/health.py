"""The health check for load balancers and supervisors."""

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from heimdex.queue import ping
from heimdex.redis_broker import QueueUnavailable


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 when the database cannot be reached; require no login and touch no session.

    Without the queue's server the process still serves requests and stores new tasks in the database.
    """
    is_reachable = _is_database_reachable()
    body = {
        "status": "ok" if is_reachable else "unavailable",
        "database": "ok" if is_reachable else "unreachable",
        "queue": "ok" if is_reachable and _is_queue_reachable() else "unreachable",
    }
    return JsonResponse(body, status=200 if is_reachable else 503)


def _is_database_reachable() -> bool:
    try:
        connection.ensure_connection()
        if not connection.is_usable():
            # A persistent connection whose server was restarted: a new one may work.
            connection.close()
            connection.ensure_connection()
    except Error:
        return False
    return True


def _is_queue_reachable() -> bool:
    try:
        ping()
    except QueueUnavailable:
        return False
    return True
