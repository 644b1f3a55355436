"""What unfinished runs will still bring: it is neither missing nor left over."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef

from reprocess.models import ReprocessItem, ReprocessRun


def runs_by_fingerprint() -> dict[str, list[UUID]]:
    """Return the unfinished runs by the fingerprint of each space that they fill."""
    runs: dict[str, list[UUID]] = {}
    for run in ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED).select_related("spec"):
        for step in run.spec.definition:
            for fingerprint in step["fingerprints"].values():
                runs.setdefault(fingerprint, []).append(run.pk)
    return runs


def people_items(run_ids: Iterable[UUID]) -> Exists:
    """Say of a photo or a person whether one of the runs has still to come to its owner's people."""
    items = ReprocessItem.objects.filter(run__in=list(run_ids), state__in=ReprocessItem.OPEN)
    return Exists(items.filter(video__isnull=True, owner=OuterRef("owner")))


def open_items(run_ids: Iterable[UUID], **match: str) -> Exists:
    """Say of a row whether one of the runs has still to come to it; `match` gives the item's fields and the row's they equal."""
    outer = {field: OuterRef(name) for field, name in match.items()}
    return Exists(ReprocessItem.objects.filter(run__in=list(run_ids), state__in=ReprocessItem.OPEN, **outer))
