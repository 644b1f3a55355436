"""What a request that failed because of an outage is answered, on pages and in the API."""

from dataclasses import dataclass

import structlog

from heimdex.outages.classify import OutageKind, find_outage
from heimdex.outages.texts import DISK_FULL, UNAVAILABLE

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OutageAnswer:
    """A sentence for the user, and the HTTP status."""

    message: str
    status: int


def find_answer(error: BaseException | None) -> OutageAnswer | None:
    """Return the answer to a request that failed with an error, and log the outage. None when the error is no outage."""
    kind = find_outage(error)
    if kind is None:
        return None
    log.warning("A request failed because of an outage", kind=str(kind), reason=str(error).strip())
    return OutageAnswer(DISK_FULL, 507) if kind is OutageKind.DISK else OutageAnswer(UNAVAILABLE[kind], 503)
