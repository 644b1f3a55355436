"""`manage.py reprocess_embeddings`: bring a video, an owner or everything to the latest embedding spec."""

import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from reprocess.actions.plan_run import owner_names, plan_run
from reprocess.actions.start_run import queued_message, start_run
from reprocess.models import ReprocessRun
from reprocess.plan_table import owners_table, plan_table
from reprocess.progress import run_progress
from reprocess.scope import Scope, ScopeError

_NO_WORKER_AFTER = timedelta(seconds=15)


class Command(BaseCommand):
    help = "Bring embeddings to the latest spec. Exit codes: 0 all done (or queued), 1 something failed, 2 wrong usage."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scope", required=True, choices=ReprocessRun.Scope.values)
        parser.add_argument("--video-id", type=UUID, help="with --scope video")
        parser.add_argument("--owner-id", type=UUID, help="with --scope owner")
        parser.add_argument("--force", action="store_true", help="compute everything in the scope anew, not only what is stale")
        parser.add_argument("--since", type=_moment, help="only videos updated since this date or time (ISO 8601)")
        parser.add_argument("--max-cost", type=Decimal, help="pause when the run has cost this much (prices: HEIMDEX_PRICES)")
        parser.add_argument("--no-cutover", action="store_true", help="fill the new spaces, but switch no search to them")
        parser.add_argument("--dry-run", action="store_true", help="show the plan and stop")
        parser.add_argument("--wait", action="store_true", help="wait for the end, with a progress bar")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            scope = Scope(options["scope"], options["video_id"], options["owner_id"], options["since"])
            if options["dry_run"]:
                self._show_plan(scope, options)
                return
            run = start_run(
                scope,
                force=options["force"],
                entrance=ReprocessRun.Entrance.COMMAND,
                requested_by=None,
                max_cost=options["max_cost"],
                automatic_cutover=not options["no_cutover"],
            )
        except ScopeError as error:
            raise CommandError(f"--{error.field.replace('_', '-')}: {error}", returncode=2) from error
        if options["wait"]:
            self._wait(run, quiet=options["json"])
        self._report(run, options)

    def _show_plan(self, scope: Scope, options: dict[str, Any]) -> None:
        plan = plan_run(scope, force=options["force"]).as_data()
        if options["json"]:
            self.stdout.write(json.dumps(plan))
        else:
            console = Console(width=100)
            with console.capture() as shown:
                console.print(plan_table(plan))
                if owners := owners_table(plan, owner_names(plan)):
                    console.print(owners)
            self.stdout.write(shown.get())

    def _wait(self, run: ReprocessRun, *, quiet: bool) -> None:
        console = Console(stderr=True, quiet=quiet)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
        warned = False
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(f"Reprocessing {run.video_count} video(s)", total=100)
            while run.state in ReprocessRun.OPEN:
                time.sleep(0.3)
                run.refresh_from_db()
                bar.update(task, completed=run_progress(run).percent)
                if not warned and run.state == ReprocessRun.State.QUEUED and timezone.now() - run.created_at > _NO_WORKER_AFTER:
                    warned = True
                    console.print(
                        "No worker has taken the run up yet. Are they running? `manage.py status` tells, `manage.py up` starts them."
                    )

    def _report(self, run: ReprocessRun, options: dict[str, Any]) -> None:
        counters = list(run.counters.values("step", "channel", "planned", "done", "skipped", "empty", "failed"))
        if options["json"]:
            report = {
                "run_id": str(run.pk),
                "state": run.state,
                "spec_version": run.spec_version,
                "scope": run.scope,
                "video_count": run.video_count,
                "model_calls": run.model_calls,
                "counters": counters,
                "error": run.error,
            }
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(f"{queued_message(run)} (run {run.pk})")
            if options["wait"]:
                self.stdout.write(f"{run.get_state_display()} with {run.model_calls} model calls")
                for counter in counters:
                    self.stdout.write(
                        f"  {counter['channel']:<12} {counter['done']} done, {counter['skipped']} skipped, {counter['empty']} empty, "
                        f"{counter['failed']} failed of {counter['planned']}"
                    )
        if options["wait"] and run.state != ReprocessRun.State.SUCCEEDED:
            raise CommandError(run.error or f"The run is {run.state}.", returncode=1)


def _moment(text: str) -> datetime:
    day = parse_date(text) if len(text) <= 10 else None
    moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
    if moment is None:
        _refuse(text)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text!r} is no ISO 8601 date or time")
