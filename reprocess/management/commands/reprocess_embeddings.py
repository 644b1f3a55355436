"""`manage.py reprocess_embeddings`: bring a video, an owner or everything to the latest embedding spec."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from heimdex.management.arguments import find_owner
from reprocess.management.arguments import parse_cost, parse_time
from reprocess.management.run_output import build_owners_table, build_plan_table, format_counter, wait_for_run
from reprocess.management.trials import check_options, parse_size, run_trial
from reprocess.models import ReprocessRun
from reprocess.planning.plan_serializer import serialize_plan
from reprocess.planning.scope import Scope, ScopeError
from reprocess.reports.runs import CounterSerializer, format_queued_message
from reprocess.runs.requests import load_plan_owners, plan_run, start_run


class Command(BaseCommand):
    help = "Bring embeddings to the latest spec. Exit codes: 0 all done (or queued, or nothing to try), 1 something failed, 2 wrong usage."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scope", required=True, choices=ReprocessRun.Scope.values, help="one video, the videos and people of one owner, or everything"
        )
        parser.add_argument("--video-id", type=UUID, metavar="ID", help="the video; required with --scope video, and only then allowed")
        parser.add_argument(
            "--owner-id", metavar="EMAIL", help="the owner's e-mail address or id; required with --scope owner, and only then allowed"
        )
        parser.add_argument("--force", action="store_true", help="recompute everything in the scope, not only what is stale")
        parser.add_argument("--since", type=parse_time, help="only videos updated since this date or time (ISO 8601)")
        parser.add_argument("--max-cost", type=parse_cost, help="pause the run at this cost (prices: HEIMDEX_PRICES)")
        parser.add_argument("--no-cutover", action="store_true", help="fill the new spaces, but do not switch search to them")
        parser.add_argument("--dry-run", action="store_true", help="show the plan and stop")
        parser.add_argument(
            "--trial",
            type=parse_size,
            metavar="N",
            help="compute at most N scenes of each owner beside the old vectors, compare both sides, and show what the full run "
            "would gain, cost and take; search stays as it is",
        )
        parser.add_argument(
            "--judgments",
            type=Path,
            metavar="FILE",
            help="with --trial: judged queries (JSON lines, see `evaluate`); default: the owner's own judgments",
        )
        parser.add_argument("--wait", action="store_true", help="wait until the run ends, with a progress bar")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            scope = Scope(options["scope"], options["video_id"], find_owner_id(options["owner_id"]), options["since"])
            check_options(options)
            if options["trial"]:
                run_trial(scope, options, self.stdout)
                return
            if options["dry_run"]:
                self._show_plan(scope, options)
                return
            run = start_run(
                scope,
                force=options["force"],
                entry_point=ReprocessRun.EntryPoint.COMMAND,
                requested_by=None,
                max_cost=options["max_cost"],
                automatic_cutover=not options["no_cutover"],
            )
        except ScopeError as error:
            raise CommandError(f"--{error.field.replace('_', '-')}: {error}", returncode=2) from error
        if options["wait"]:
            wait_for_run(run, quiet=options["json"])
        self._report(run, options)
        if options["wait"] and run.state != ReprocessRun.State.SUCCEEDED:
            raise CommandError(run.error or f"The run is {run.state}.", returncode=1)

    def _show_plan(self, scope: Scope, options: dict[str, Any]) -> None:
        plan = serialize_plan(plan_run(scope, force=options["force"]))
        if options["json"]:
            self.stdout.write(json.dumps(plan))
            return
        console = Console(width=100)
        with console.capture() as capture:
            console.print(build_plan_table(plan))
            if owners := build_owners_table(plan, load_plan_owners(plan)):
                console.print(owners)
        self.stdout.write(capture.get())
        for notice in plan["notices"]:
            self.stdout.write(notice)

    def _report(self, run: ReprocessRun, options: dict[str, Any]) -> None:
        counters = [dict(counter) for counter in CounterSerializer(run.counters.all(), many=True).data]
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
            return
        self.stdout.write(f"{format_queued_message(run)} (run {run.pk})")
        if options["wait"]:
            self.stdout.write(f"{run.get_state_display()} with {run.model_calls} model calls")
            for counter in counters:
                self.stdout.write(format_counter(counter))


def find_owner_id(text: UUID | str | None) -> UUID | None:
    """Return the id in `text`, or the id of the owner with this e-mail address. Raise CommandError with exit code 2 when there is none."""
    if text is None or isinstance(text, UUID):
        return text
    try:
        return UUID(text)
    except ValueError:
        return find_owner(text).pk
