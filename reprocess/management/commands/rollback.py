"""`manage.py rollback`: switch an owner's search back to the vectors it read before the last cutover."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.management.arguments import find_owner
from reprocess.actions.cutovers import RollbackRefused, get_latest_cutover, roll_back


class Command(BaseCommand):
    help = "Switch an owner's search back at once. Nothing is recomputed. Exit codes: 0 switched back, 1 not possible, 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = find_owner(options["owner"])
        try:
            result = roll_back(get_latest_cutover(owner.pk).pk, None)
        except RollbackRefused as error:
            raise CommandError(str(error)) from error
        run = result.catch_up
        if options["json"]:
            answer = {"owner": owner.email, "cutover_id": str(result.cutover.pk), "catch_up_run": str(run.pk) if run else None}
            self.stdout.write(json.dumps({**answer, "left_out": list(result.left_out)}))
            return
        self.stdout.write(f"{owner.email}: search reads the earlier vectors again.")
        if run:
            self.stdout.write(f"Run {run.pk} adds the videos that were indexed since then. Until it ends, search finds them by words only.")
        for sentence in result.left_out:
            self.stdout.write(sentence)
