"""Run the checks, mend what can be mended, and sum up."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

import structlog

from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.reconcile.base import Finding, Kind
from reprocess.reconcile.checks import all_checks

log = structlog.get_logger(__name__)

MOST_EXAMPLES = 5

# Called with the name of what is being looked for, the number of checks done and the number of all checks.
OnCheck = Callable[[str, int, int], None]


@dataclass
class Result:
    """What was found of one kind and how much of it was mended, with the first examples."""

    kind: Kind
    found: int = 0
    repaired: int = 0
    examples: list[str] = field(default_factory=list)
    more_examples: int = 0

    @property
    def left(self) -> int:
        """How many still do not add up."""
        return self.found - self.repaired

    def add(self, finding: Finding, repaired: int) -> None:
        """Count a finding."""
        self.found += finding.count
        self.repaired += repaired
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(finding.example)
        else:
            self.more_examples += 1

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self.kind), "found": self.found, "repaired": self.repaired, "left": self.left, "examples": self.examples}


@dataclass(frozen=True)
class Reconciliation:
    """The result of every kind of check, and what unfinished runs are still at (which is not counted as missing)."""

    results: tuple[Result, ...]
    unfinished_runs: int
    videos_under_way: int

    @property
    def clean(self) -> bool:
        """Whether all adds up now."""
        return not any(result.left for result in self.results)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "clean": self.clean,
            "found": sum(result.found for result in self.results),
            "repaired": sum(result.repaired for result in self.results),
            "unfinished_runs": self.unfinished_runs,
            "videos_under_way": self.videos_under_way,
            "checks": [result.as_data() for result in self.results],
        }


def reconcile(owner_id: UUID | None, *, repair: bool, on_check: OnCheck) -> Reconciliation:
    """Compare all there is, or what one owner has; with `repair`, mend what can be mended. Call it outside transactions.

    StorageError when the storage fails; what was mended until then stays mended.
    """
    runs, videos = _under_way(owner_id)
    results: list[Result] = []
    checks = all_checks()
    for number, check in enumerate(checks):
        by_kind = {kind: Result(kind) for kind in check.kinds}
        on_check(check.kinds[0].name, number, len(checks))
        for finding in check.find(owner_id):
            repaired = finding.repair() if repair and finding.repair else 0
            by_kind[finding.kind].add(finding, repaired)
            if repaired:
                log.info("Repaired", kind=finding.kind.name, found=finding.count, repaired=repaired, what=finding.example)
        results.extend(by_kind.values())
    on_check("", len(checks), len(checks))
    return Reconciliation(tuple(results), runs, videos)


def _under_way(owner_id: UUID | None) -> tuple[int, int]:
    items = ReprocessItem.objects.filter(run__state__in=ReprocessRun.UNFINISHED, state__in=ReprocessItem.OPEN)
    if owner_id:
        items = items.filter(owner_id=owner_id)
    return items.order_by().values("run").distinct().count(), items.count()
