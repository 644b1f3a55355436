"""Run all checks, repair findings, and report. `manage.py reconcile --json` prints the report."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from rest_framework import serializers

from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.reconcile.base import Finding, IssueType
from reprocess.reconcile.checks import list_checks

log = structlog.get_logger(__name__)
# Called with the name of the current check, the number of finished checks and the number of all checks.
OnCheck = Callable[[str, int, int], None]
MAX_EXAMPLES = 5


@dataclass
class IssueCount:
    """The number of issues of one type that were found and repaired, with the first examples."""

    issue_type: IssueType
    found: int = 0
    repaired: int = 0
    examples: list[str] = field(default_factory=list)
    more_examples: int = 0

    @property
    def left(self) -> int:
        """The number of issues that were found and not repaired."""
        return self.found - self.repaired

    def add(self, finding: Finding, repaired: int) -> None:
        """Add a finding, of which `repaired` issues were repaired."""
        self.found += finding.count
        self.repaired += repaired
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(finding.example)
        else:
            self.more_examples += 1


@dataclass(frozen=True)
class ReconcileReport:
    """The counts of all issue types, and of unfinished work, which is not counted as missing."""

    issues: tuple[IssueCount, ...]
    unfinished_runs: int
    open_items: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left to repair."""
        return not any(issue.left for issue in self.issues)

    @property
    def found(self) -> int:
        """The number of issues found."""
        return sum(issue.found for issue in self.issues)

    @property
    def repaired(self) -> int:
        """The number of issues repaired."""
        return sum(issue.repaired for issue in self.issues)

    @property
    def left(self) -> int:
        """The number of issues found and not repaired."""
        return self.found - self.repaired


def reconcile(owner_id: UUID | None, *, repair: bool, on_check: OnCheck) -> ReconcileReport:
    """Run all checks for one owner, or for all. With `repair`, repair the findings that can be repaired.

    Call it outside transactions. Raise StorageError when the storage fails; earlier repairs stay.
    """
    unfinished_runs, open_items = _count_unfinished(owner_id)
    issues: list[IssueCount] = []
    checks = list_checks()
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
    """Count the unfinished runs with open items, and their open items."""
    items = ReprocessItem.objects.filter(run__state__in=ReprocessRun.UNFINISHED, state__in=ReprocessItem.OPEN)
    if owner_id:
        items = items.filter(owner_id=owner_id)
    return items.order_by().values("run").distinct().count(), items.count()


class IssueCountSerializer(serializers.Serializer[Any]):
    """The count of one issue type."""

    name = serializers.CharField(source="issue_type.name")
    says = serializers.CharField(source="issue_type.summary")
    repair = serializers.CharField(source="issue_type.repair")
    by_hand = serializers.CharField(source="issue_type.manual_fix")
    found = serializers.IntegerField()
    repaired = serializers.IntegerField()
    left = serializers.IntegerField()
    examples = serializers.ListField(child=serializers.CharField())


class ReconcileReportSerializer(serializers.Serializer[Any]):
    """The result of a reconciliation."""

    clean = serializers.BooleanField(source="is_clean")
    found = serializers.IntegerField()
    repaired = serializers.IntegerField()
    unfinished_runs = serializers.IntegerField()
    videos_under_way = serializers.IntegerField(source="open_items")
    checks = IssueCountSerializer(many=True, source="issues")
