"""`manage.py reprocess_runs`: list, show and control runs."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rest_framework.utils.encoders import JSONEncoder

from heimdex.errors import WrongState
from heimdex.management.arguments import parse_positive_integer
from reprocess.actions.runs import CONTROLS
from reprocess.management.run_output import format_counter
from reprocess.models import ReprocessRun
from reprocess.reports.runs import FailureSerializer, serialize_run
from reprocess.reports.trials import describe_trial


class Command(BaseCommand):
    help = (
        "List runs; show one run or its failures; pause, resume or cancel a run, or retry its failures. "
        "Exit codes: 0 done, 1 refused, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["list", "show", "failures", *CONTROLS])
        parser.add_argument("run_id", nargs="?", type=UUID, help="for everything but list")
        parser.add_argument("--limit", type=parse_positive_integer, default=20, help="how many runs or failures to list (default 20)")
        parser.add_argument("--json", action="store_true", help="print JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        runs = ReprocessRun.objects.prefetch_details()
        what = options["what"]
        if what == "list":
            self._print([serialize_run(run) for run in runs[: options["limit"]]], options)
            return
        if options["run_id"] is None:
            raise CommandError(f"Name the run: reprocess_runs {what} RUN_ID", returncode=2)
        run = runs.filter(pk=options["run_id"]).first()
        if run is None:
            raise CommandError(f"There is no run {options['run_id']}. `manage.py reprocess_runs list` shows all runs.", returncode=2)
        if what == "failures":
            self._print_failures(run, options)
            return
        if what in CONTROLS:
            try:
                CONTROLS[what](run.pk)
            except WrongState as error:
                raise CommandError(str(error)) from error
        self._print([serialize_run(runs.get(pk=run.pk))], options)

    def _print(self, runs: list[dict[str, Any]], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(runs if options["what"] == "list" else runs[0], cls=JSONEncoder))
            return
        if not runs:
            self.stdout.write("There are no runs yet. Start one with manage.py reprocess_embeddings.")
        for run in runs:
            target = run["video_id"] or run["owner_id"] or "everything"
            eta = f", {run['eta_s']:.0f} s left" if run["eta_s"] else ""
            kind = "trial of " if run["trial"] else ""
            self.stdout.write(
                f"{run['id']}  {run['state']}  {run['progress']} %{eta}  {kind}{run['scope']}: {target}  spec {run['spec_version']}"
            )
            if options["what"] != "list":
                self._print_details(run)

    def _print_details(self, run: dict[str, Any]) -> None:
        self.stdout.write(f"  spec {run['spec_version']}, by {run['requested_by'] or run['entrance']}")
        self.stdout.write(f"  {run['model_calls']} model calls, {run['tokens']} tokens, cost {run['cost']}")
        for counter in run["counters"]:
            self.stdout.write(format_counter(counter))
        if run["trial"] and run["trial"]["report"]:
            for line in describe_trial(run["trial"]["report"]):
                self.stdout.write(f"  {line}")
        if run["error"]:
            self.stdout.write(f"  {run['error']}")
        if run["actions"]:
            self.stdout.write(f"  possible actions: {', '.join(run['actions'])}")

    def _print_failures(self, run: ReprocessRun, options: dict[str, Any]) -> None:
        failures = [dict(failure) for failure in FailureSerializer(run.failures.all()[: options["limit"]], many=True).data]
        if options["json"]:
            self.stdout.write(json.dumps(failures, cls=JSONEncoder))
            return
        for failure in failures:
            target = f"scene {failure['scene_id']}" if failure["scene_id"] else f"video {failure['video_id']}"
            self.stdout.write(f"{failure['step']} {failure['channel']} {target}: {failure['error']}")
        self.stdout.write(f"{run.failures.count()} failure(s)")
