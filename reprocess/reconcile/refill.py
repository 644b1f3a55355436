"""Schedule what is missing in the spaces that an owner's search reads, through runs like any other."""

from collections.abc import Collection
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured

from heimdex.embedders.errors import EmbedderUnavailable
from reprocess.actions.start_run import start_run
from reprocess.models import ReprocessRun
from reprocess.older_spec import spec_of
from reprocess.scope import Scope
from reprocess.spec import EffectiveSpec, effective_spec
from videos.models import EmbeddingSpace

log = structlog.get_logger(__name__)


def refill(owner_id: UUID, spaces: Collection[EmbeddingSpace]) -> set[str]:
    """Queue runs that fill some spaces of an owner; return the channels they bring. Unfinished runs for the same are joined.

    A space whose model or step cannot be had any more is left out, and the log says why.
    """
    latest = effective_spec()
    channels: set[str] = set()
    try:
        if current := {space.channel for space in spaces if space.fingerprint in latest.fingerprints}:
            _queue(owner_id, ReprocessRun.Entrance.COMMAND, latest)
            channels |= current
        older = spec_of([space for space in spaces if space.fingerprint not in latest.fingerprints])
        for sentence in older.left_out:
            log.warning("A space cannot be filled any more", owner_id=str(owner_id), reason=sentence)
        if older.spec:
            _queue(owner_id, ReprocessRun.Entrance.ROLLBACK, older.spec)
            channels |= {channel for _, channel in older.spec.channels()}
    except (EmbedderUnavailable, ImproperlyConfigured) as error:
        log.warning("No run could be queued", owner_id=str(owner_id), reason=str(error))
    return channels


def _queue(owner_id: UUID, entrance: str, spec: EffectiveSpec) -> None:
    scope = Scope("owner", owner_id=owner_id)
    start_run(scope, force=False, entrance=entrance, requested_by=None, automatic_cutover=False, spec=spec)
