"""Runs and reconciliation: what unfinished runs will still compute, and runs that fill gaps in active spaces."""

from collections.abc import Collection, Iterable
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Exists, OuterRef

from heimdex.errors import ModelUnavailable
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.spec import EffectiveSpec, get_effective_spec
from reprocess.spec.historical import build_spec_for_spaces
from videos.models import EmbeddingSpace

log = structlog.get_logger(__name__)


def find_runs_by_fingerprint() -> dict[str, list[UUID]]:
    """Return the ids of unfinished runs by the fingerprint of each space that they fill."""
    runs: dict[str, list[UUID]] = {}
    for run in ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED).select_related("spec"):
        for step in run.spec.definition:
            for fingerprint in step["fingerprints"].values():
                runs.setdefault(fingerprint, []).append(run.pk)
    return runs


def has_open_item(run_ids: Iterable[UUID], **match: str) -> Exists:
    """Match rows for which one of the runs has an open item. `match` maps fields of the item to fields of the row.

    Items of trials do not count, because they fill no space that search reads.
    """
    outer = {field: OuterRef(name) for field, name in match.items()}
    return Exists(ReprocessItem.objects.filter(run__in=list(run_ids), scene_ids__isnull=True, state__in=ReprocessItem.OPEN, **outer))


def has_open_people_item(run_ids: Iterable[UUID]) -> Exists:
    """Match photos or people for whose owner one of the runs has an open item of people."""
    items = ReprocessItem.objects.filter(run__in=list(run_ids), scene_ids__isnull=True, state__in=ReprocessItem.OPEN)
    return Exists(items.filter(video__isnull=True, owner=OuterRef("owner")))


def backfill(owner_id: UUID, spaces: Collection[EmbeddingSpace]) -> set[str]:
    """Queue runs that fill these spaces of an owner, unless equal runs are unfinished. Return the channels that will be filled.

    Spaces whose model or step is no longer available are skipped, and the reason is logged.
    """
    latest = get_effective_spec()
    channels: set[str] = set()
    try:
        if current := {space.channel for space in spaces if space.fingerprint in latest.fingerprints}:
            _queue(owner_id, ReprocessRun.EntryPoint.COMMAND, latest)
            channels |= current
        historical = build_spec_for_spaces([space for space in spaces if space.fingerprint not in latest.fingerprints])
        for reason in historical.unavailable:
            log.warning("A space can no longer be filled", owner_id=str(owner_id), reason=reason)
        if historical.spec:
            _queue(owner_id, ReprocessRun.EntryPoint.ROLLBACK, historical.spec)
            channels |= {channel for _, channel in historical.spec.list_channels()}
    except (ModelUnavailable, ImproperlyConfigured) as error:
        log.warning("No run could be queued", owner_id=str(owner_id), reason=str(error))
    return channels


def _queue(owner_id: UUID, entry_point: str, spec: EffectiveSpec) -> None:
    scope = Scope("owner", owner_id=owner_id)
    start_run(scope, force=False, entry_point=entry_point, requested_by=None, automatic_cutover=False, spec=spec)
