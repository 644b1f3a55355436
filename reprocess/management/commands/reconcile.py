"""`manage.py reconcile`: find and repair missing and unwanted rows, files and vector indexes."""

import json
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from heimdex.management.arguments import find_owner
from heimdex.storage import StorageError
from reprocess.reconcile.reconciliation import IssueCount, ReconcileReport, ReconcileReportSerializer, reconcile

NOT_CLEAN = 3


class Command(BaseCommand):
    help = (
        "Find missing and unwanted rows, files and vector indexes. Change nothing without --repair. "
        "Exit codes: 0 no issues, 1 the storage cannot be reached, 2 wrong usage, 3 issues were found (or are left)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="repair what can be repaired; run without it first to see the issues")
        parser.add_argument("--owner", metavar="EMAIL", help="check only this owner (default: everything)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = find_owner(options["owner"]) if options["owner"] else None
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        # Show the bar only on a terminal, on stderr, so that piped output stays clean.
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not self.stderr.isatty()) as bar:
            task = bar.add_task("")
            try:
                report = reconcile(
                    owner.pk if owner else None,
                    repair=options["repair"],
                    on_check=lambda name, number, total: bar.update(task, description=name, completed=number, total=total),
                )
            except StorageError as error:
                raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(ReconcileReportSerializer(report).data))
        else:
            self._show(report, repair=options["repair"])
        if not report.is_clean:
            hint = "" if options["repair"] else " --repair fixes what can be fixed."
            raise CommandError(f"{report.left} issue(s) left.{hint}", returncode=NOT_CLEAN)

    def _show(self, report: ReconcileReport, *, repair: bool) -> None:
        issues = [issue for issue in report.issues if issue.found]
        if issues:
            console = Console(file=cast(IO[str], self.stdout), width=None if self.stdout.isatty() else 110)
            console.print(_build_table(issues, repair=repair))
        for issue in issues:
            self.stdout.write(f"{issue.issue_type.name}: {_format_advice(issue, repair=repair)}")
            for example in issue.examples:
                self.stdout.write(f"  {example}")
            if issue.more_examples:
                self.stdout.write(f"  … and {issue.more_examples} more like these")
        if report.unfinished_runs:
            self.stdout.write(
                f"{report.unfinished_runs} unfinished run(s) have {report.open_items} open item(s). Their vectors do not count as missing."
            )
        if report.is_clean:
            self.stdout.write(f"No issues ({len(report.issues)} checks)." if not issues else "All issues are repaired.")


def _build_table(issues: list[IssueCount], *, repair: bool) -> Table:
    table = Table(title="Issues")
    table.add_column("issue")
    table.add_column("found", justify="right")
    if repair:
        table.add_column("repaired", justify="right")
    table.add_column("what")
    for issue in issues:
        numbers = [str(issue.found), str(issue.repaired)] if repair else [str(issue.found)]
        table.add_row(issue.issue_type.name, *numbers, issue.issue_type.summary)
    return table


def _format_advice(issue: IssueCount, *, repair: bool) -> str:
    issue_type = issue.issue_type
    if repair and issue.repaired:
        return f"--repair {issue_type.repair}." + (f" {issue.left} remain. {issue_type.manual_fix}" if issue.left else "")
    if repair or not issue_type.repair:
        return issue_type.manual_fix
    return f"--repair {issue_type.repair}."
