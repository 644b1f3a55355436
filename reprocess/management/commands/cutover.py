"""`manage.py cutover`: switch an owner's search to the latest spaces."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.management.arguments import find_owner
from reprocess.actions.cutovers import CutoverNotNeeded, CutoverRefused, cut_over, prepare_cutover
from reprocess.reports.changes import format_comparison, format_judged
from videos.evaluation.judgments import read_judgments
from videos.evaluation.references import resolve_queries
from videos.evaluation.text_files import InvalidFile


class Command(BaseCommand):
    help = (
        "Compare the results of an owner's recorded and judged queries with the old and the new vectors, and switch the owner's search to "
        "the new vectors. Exit codes: 0 switched, compared or already switched, 1 refused, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--dry-run", action="store_true", help="compare and stop")
        parser.add_argument(
            "--judgments",
            type=Path,
            metavar="FILE",
            help="judged queries (JSON lines, see `evaluate`) that tell which side is better; default: the owner's own judgments",
        )
        parser.add_argument(
            "--force", action="store_true", help="switch even beyond HEIMDEX_CUTOVER_MAX_LOSS or below HEIMDEX_CUTOVER_MIN_OVERLAP"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = find_owner(options["owner"])
        try:
            file: Path | None = options["judgments"]
            judged = resolve_queries(file, owner.pk, read_judgments(file)) if file else []
            if options["dry_run"]:
                state, cutover_id, report = "compared", None, prepare_cutover(owner.pk, judged).evaluated.report
            else:
                cutover = cut_over(owner.pk, force=options["force"], judged=judged)
                state, cutover_id, report = cutover.state, str(cutover.pk), cutover.report
        except InvalidFile as error:
            raise CommandError(str(error), returncode=2) from error
        except CutoverNotNeeded as error:
            answer = {"owner": owner.email, "state": "current", "cutover_id": None, "report": None}
            self.stdout.write(json.dumps(answer) if options["json"] else f"{owner.email}: {error}")
            return
        except CutoverRefused as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"owner": owner.email, "state": state, "cutover_id": cutover_id, "report": report}))
            return
        self.stdout.write(f"{owner.email}: {state}" + (f" (cutover {cutover_id})" if cutover_id else ""))
        for line in format_report(report):
            self.stdout.write(f"  {line}")


def format_report(report: dict[str, Any]) -> list[str]:
    """Format a cutover's report as lines of text."""
    # Reports of earlier releases have no judged queries.
    lines = [format_comparison(report), *([format_judged(judged)] if (judged := report.get("judged")) else [])]
    for channel in report["coverage"]:
        states = ", ".join(f"{channel[state]} {state}" for state in ("embedded", "empty", "failed", "missing"))
        lines.append(f"{channel['channel']:<12} {states} of {channel['subjects']} {channel['kind']}")
    return [*lines, *report["notices"]]
