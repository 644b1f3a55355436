"""Run all checks, repair what can be repaired, and report."""

from collections.abc import Callable
from uuid import UUID

import structlog

from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.reconcile.checks import all_checks
from reprocess.reconcile.report import IssueCount, ReconcileReport

log = structlog.get_logger(__name__)

# Called with the name of the current check, the number of finished checks and the number of all checks.
OnCheck = Callable[[str, int, int], None]


def reconcile(owner_id: UUID | None, *, repair: bool, on_check: OnCheck) -> ReconcileReport:
    """Run all checks for one owner, or for all; with `repair`, repair the findings that can be repaired.

    Call it outside transactions. Raise StorageError when the storage fails; earlier repairs stay.
    """
    unfinished_runs, open_items = _count_unfinished(owner_id)
    issues: list[IssueCount] = []
    checks = all_checks()
    for number, check in enumerate(checks):
        counts = {issue_type: IssueCount(issue_type) for issue_type in check.issue_types}
        on_check(check.issue_types[0].name, number, len(checks))
        for finding in check.find(owner_id):
            repaired = finding.repair() if repair and finding.repair else 0
            counts[finding.issue_type].add(finding, repaired)
            if repaired:
                log.info("Repaired", issue=finding.issue_type.name, found=finding.count, repaired=repaired, example=finding.example)
        issues.extend(counts.values())
    on_check("", len(checks), len(checks))
    return ReconcileReport(tuple(issues), unfinished_runs, open_items)


def _count_unfinished(owner_id: UUID | None) -> tuple[int, int]:
    """Count unfinished runs with open items, and those items."""
    items = ReprocessItem.objects.filter(run__state__in=ReprocessRun.UNFINISHED, state__in=ReprocessItem.OPEN)
    if owner_id:
        items = items.filter(owner_id=owner_id)
    return items.order_by().values("run").distinct().count(), items.count()
