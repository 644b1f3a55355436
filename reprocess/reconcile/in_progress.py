"""Work that unfinished runs will still do: what they will compute is neither missing nor orphaned."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef

from reprocess.models import ReprocessItem, ReprocessRun


def runs_by_fingerprint() -> dict[str, list[UUID]]:
    """Return the ids of unfinished runs by the fingerprint of each space that they fill."""
    runs: dict[str, list[UUID]] = {}
    for run in ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED).select_related("spec"):
        for step in run.spec.definition:
            for fingerprint in step["fingerprints"].values():
                runs.setdefault(fingerprint, []).append(run.pk)
    return runs


def has_open_people_item(run_ids: Iterable[UUID]) -> Exists:
    """Return a condition on a photo or person: one of the runs has an open item for its owner's people."""
    items = ReprocessItem.objects.filter(run__in=list(run_ids), state__in=ReprocessItem.OPEN)
    return Exists(items.filter(video__isnull=True, owner=OuterRef("owner")))


def has_open_item(run_ids: Iterable[UUID], **match: str) -> Exists:
    """Return a condition on a row: one of the runs has an open item whose fields equal the row's, as `match` maps them."""
    outer = {field: OuterRef(name) for field, name in match.items()}
    return Exists(ReprocessItem.objects.filter(run__in=list(run_ids), state__in=ReprocessItem.OPEN, **outer))
