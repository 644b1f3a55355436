"""Whether this process can serve, for load balancers and supervisors."""

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from heimdex.queue import ping
from heimdex.redis_broker import QueueUnavailable


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 when the database cannot be reached; needs no log-in and touches no session.

    Without the queue's server this process serves on, and keeps what it would have queued.
    """
    reachable = _database_answers()
    body = {
        "status": "ok" if reachable else "unavailable",
        "database": "ok" if reachable else "unreachable",
        "queue": "ok" if reachable and _queue_answers() else "unreachable",
    }
    return JsonResponse(body, status=200 if reachable else 503)


def _database_answers() -> bool:
    try:
        connection.ensure_connection()
        if not connection.is_usable():
            # A kept connection whose server was restarted: the next one may work.
            connection.close()
            connection.ensure_connection()
    except Error:
        return False
    return True


def _queue_answers() -> bool:
    try:
        ping()
    except QueueUnavailable:
        return False
    return True
