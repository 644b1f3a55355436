"""`manage.py reconcile`: compare what should exist with the rows, files and indexes that do."""

import json
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from heimdex.storage import StorageError
from reprocess.management.commands.cutover import owner_named
from reprocess.reconcile.reconciliation import Reconciliation, Result, reconcile

NOT_CLEAN = 3


class Command(BaseCommand):
    help = (
        "Compare what should exist with the rows, the files and the vector indexes that do; change nothing unless --repair is given. "
        "Exit codes: 0 all adds up, 1 the storage cannot be reached, 2 wrong usage, 3 something does not add up (or still does not)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="mend what can be mended; look at what is found without it first")
        parser.add_argument("--owner", metavar="EMAIL", help="only what this owner has (default: everything)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = owner_named(options["owner"]) if options["owner"] else None
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        # On a terminal only, and never among what another program reads.
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not self.stderr.isatty()) as bar:
            task = bar.add_task("")
            try:
                done = reconcile(
                    owner.pk if owner else None,
                    repair=options["repair"],
                    on_check=lambda name, number, total: bar.update(task, description=name, completed=number, total=total),
                )
            except StorageError as error:
                raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(done.as_data()))
        else:
            self._show(done, repair=options["repair"])
        if not done.clean:
            left = sum(result.left for result in done.results)
            hint = "" if options["repair"] else " --repair mends what it can."
            raise CommandError(f"{left} thing(s) do not add up.{hint}", returncode=NOT_CLEAN)

    def _show(self, done: Reconciliation, *, repair: bool) -> None:
        found = [result for result in done.results if result.found]
        if found:
            console = Console(file=cast(IO[str], self.stdout), width=None if self.stdout.isatty() else 110)
            console.print(_table(found, repair=repair))
        for result in found:
            self.stdout.write(f"{result.kind.name}: {_advice(result, repair=repair)}")
            for example in result.examples:
                self.stdout.write(f"  {example}")
            if result.more_examples:
                self.stdout.write(f"  … and {result.more_examples} more like these")
        if done.unfinished_runs:
            self.stdout.write(
                f"{done.unfinished_runs} unfinished run(s) have still to come to {done.videos_under_way} video(s); "
                "what they will compute is not counted."
            )
        if done.clean:
            self.stdout.write(f"All adds up ({len(done.results)} checks)." if not found else "All that was found is mended.")


def _table(found: list[Result], *, repair: bool) -> Table:
    table = Table(title="What does not add up")
    table.add_column("check")
    table.add_column("found", justify="right")
    if repair:
        table.add_column("repaired", justify="right")
    table.add_column("what")
    for result in found:
        numbers = [str(result.found), str(result.repaired)] if repair else [str(result.found)]
        table.add_row(result.kind.name, *numbers, result.kind.says)
    return table


def _advice(result: Result, *, repair: bool) -> str:
    if repair and result.repaired:
        return f"--repair {result.kind.repair}." + (f" {result.left} remain. {result.kind.by_hand}" if result.left else "")
    if repair or not result.kind.repair:
        return result.kind.by_hand
    return f"--repair {result.kind.repair}."
