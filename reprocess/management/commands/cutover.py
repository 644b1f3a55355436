"""`manage.py cutover`: switch an owner's search to the latest spaces."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.accounts.models import User
from reprocess.actions.cut_over import CutoverRefused, cut_over, prepare


class Command(BaseCommand):
    help = (
        "Compare the answers to an owner's recorded queries on both sides and switch the owner's search to the latest vectors. "
        "Exit codes: 0 switched (or compared), 1 refused, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--dry-run", action="store_true", help="compare and stop")
        parser.add_argument("--force", action="store_true", help="switch even below HEIMDEX_CUTOVER_MIN_OVERLAP")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = owner_named(options["owner"])
        try:
            if options["dry_run"]:
                state, key, report = "compared", None, prepare(owner.pk).report
            else:
                made = cut_over(owner.pk, force=options["force"])
                state, key, report = made.state, str(made.pk), made.report
        except CutoverRefused as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"owner": owner.email, "state": state, "cutover_id": key, "report": report}))
            return
        self.stdout.write(f"{owner.email}: {state}" + (f" (cutover {key})" if key else ""))
        for line in report_lines(report):
            self.stdout.write(f"  {line}")


def owner_named(email: str) -> User:
    """Return the owner with this address; CommandError when there is none."""
    owner = User.objects.filter(email__iexact=email.strip()).first()
    if owner is None:
        raise CommandError(f"There is no owner {email}.", returncode=2)
    return owner


def report_lines(report: dict[str, Any]) -> list[str]:
    """Return a cutover's report in words."""
    overlap, moved = report["overlap_at_10"], report["mean_rank_move"]
    lines = ["No queries are recorded, so nothing was compared."]
    if overlap is not None:
        lines = [f"{report['queries']} recorded queries: {overlap:.0%} of the first ten scenes stay"]
        lines[0] += "" if moved is None else f", and move by {moved:.1f} places on average"
    for channel in report["coverage"]:
        states = ", ".join(f"{channel[state]} {state}" for state in ("embedded", "empty", "failed", "missing"))
        lines.append(f"{channel['channel']:<12} {states} of {channel['subjects']} {channel['kind']}")
    return [*lines, *report["notices"]]
