"""The result of a reconciliation, and its JSON form as `manage.py reconcile --json` prints it."""

from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers

from reprocess.reconcile.base import Finding, IssueType

MAX_EXAMPLES = 5


@dataclass
class IssueCount:
    """How many things of one issue type were found and repaired, with the first examples."""

    issue_type: IssueType
    found: int = 0
    repaired: int = 0
    examples: list[str] = field(default_factory=list)
    more_examples: int = 0

    @property
    def left(self) -> int:
        """How many were found and not repaired."""
        return self.found - self.repaired

    def add(self, finding: Finding, repaired: int) -> None:
        """Count a finding."""
        self.found += finding.count
        self.repaired += repaired
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(finding.example)
        else:
            self.more_examples += 1


@dataclass(frozen=True)
class ReconcileReport:
    """The count of every issue type, and the unfinished work, which is not counted as missing."""

    issues: tuple[IssueCount, ...]
    unfinished_runs: int
    open_items: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left to repair."""
        return not any(issue.left for issue in self.issues)

    @property
    def found(self) -> int:
        """The number of things found."""
        return sum(issue.found for issue in self.issues)

    @property
    def repaired(self) -> int:
        """The number of things repaired."""
        return sum(issue.repaired for issue in self.issues)

    @property
    def left(self) -> int:
        """The number of things found and not repaired."""
        return self.found - self.repaired


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
