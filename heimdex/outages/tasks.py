"""The recurring tasks of outages."""

import threading

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from heimdex.outages.deletions import delete_postponed
from heimdex.outages.models import Outage, PostponedDeletion
from heimdex.outages.record import probe_due_outages

log = structlog.get_logger(__name__)

_running = threading.Lock()


def probe_outages() -> None:
    """Probe outages and delete postponed files on a thread, because a server that hangs must not delay other recurring tasks."""
    is_due = Outage.objects.filter(next_probe_at__lte=timezone.now()).exists() or PostponedDeletion.objects.exists()
    if is_due and _running.acquire(blocking=False):
        threading.Thread(target=_probe, name="probe", daemon=True).start()


def _probe() -> None:
    try:
        probe_due_outages()
        delete_postponed()
    except DatabaseError as error:
        log.warning("Could not probe outages; trying again", reason=str(error).strip())
    except Exception:
        log.exception("A probe failed")
    finally:
        connection.close()
        _running.release()
