"""`manage.py purge_spaces`: delete vectors that search no longer reads."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from heimdex.management.arguments import parse_days
from reprocess.actions.cutovers import purge_spaces


class Command(BaseCommand):
    help = "Delete retired vectors. A cutover away from them can then no longer be rolled back. Exit codes: 0 done, 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=parse_days,
            help="only spaces retired more days ago (default HEIMDEX_KEEP_RETIRED_DAYS)",
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would be deleted and stop")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        age = timedelta(days=settings.KEEP_RETIRED_DAYS if options["days"] is None else options["days"])
        purged = [asdict(space) for space in purge_spaces(age, dry_run=options["dry_run"])]
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], "purged": purged}))
            return
        verb = "would be removed" if options["dry_run"] else "removed"
        for space in purged:
            with_space = ", and the space with them" if space["space_removed"] else ""
            self.stdout.write(f"{space['owner']}: {space['rows']} {space['channel']} vectors of {space['model']} {verb}{with_space}")
        if not purged:
            self.stdout.write(f"No space was retired more than {age.days} days ago.")
