"""Queue runs that fill the gaps in the spaces that an owner's search reads."""

from collections.abc import Collection
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured

from heimdex.errors import ModelUnavailable
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.start_run import start_run
from reprocess.spec import EffectiveSpec, effective_spec
from reprocess.spec.historical import spec_for_spaces
from videos.models import EmbeddingSpace

log = structlog.get_logger(__name__)


def backfill(owner_id: UUID, spaces: Collection[EmbeddingSpace]) -> set[str]:
    """Queue runs that fill these spaces of an owner, or join equal unfinished runs; return the channels that will be filled.

    Leave out a space whose model or step is no longer available, and log the reason.
    """
    latest = effective_spec()
    channels: set[str] = set()
    try:
        if current := {space.channel for space in spaces if space.fingerprint in latest.fingerprints}:
            _queue(owner_id, ReprocessRun.EntryPoint.COMMAND, latest)
            channels |= current
        historical = spec_for_spaces([space for space in spaces if space.fingerprint not in latest.fingerprints])
        for reason in historical.unavailable:
            log.warning("A space can no longer be filled", owner_id=str(owner_id), reason=reason)
        if historical.spec:
            _queue(owner_id, ReprocessRun.EntryPoint.ROLLBACK, historical.spec)
            channels |= {channel for _, channel in historical.spec.channels()}
    except (ModelUnavailable, ImproperlyConfigured) as error:
        log.warning("No run could be queued", owner_id=str(owner_id), reason=str(error))
    return channels


def _queue(owner_id: UUID, entrance: str, spec: EffectiveSpec) -> None:
    scope = Scope("owner", owner_id=owner_id)
    start_run(scope, force=False, entrance=entrance, requested_by=None, automatic_cutover=False, spec=spec)
