"""Health checks for load balancers and supervisors. They require no login and touch no session."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from heimdex.database.reachability import is_database_reachable
from heimdex.queue import ping
from heimdex.readiness import find_missing
from heimdex.redis_broker import QueueUnavailable


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 when the database cannot be reached.

    Without the queue's server the process still serves requests and stores new tasks in the database.
    """
    is_reachable = is_database_reachable()
    body = {
        "status": "ok" if is_reachable else "unavailable",
        "database": "ok" if is_reachable else "unreachable",
        "queue": "ok" if is_reachable and _is_queue_reachable() else "unreachable",
    }
    return JsonResponse(body, status=200 if is_reachable else 503)


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when this process can do all its work, or else 503 and what is missing. The queue is not asked."""
    missing = find_missing()
    return JsonResponse({"status": "unavailable" if missing else "ok", "missing": missing}, status=503 if missing else 200)


def _is_queue_reachable() -> bool:
    try:
        ping()
    except QueueUnavailable:
        return False
    return True
