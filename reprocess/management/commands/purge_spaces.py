"""`manage.py purge_spaces`: remove vectors that no search has read for days."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from reprocess.actions.purge_spaces import purge_spaces


class Command(BaseCommand):
    help = "Remove retired vectors; the switches away from them cannot be undone any more. Exit codes: 0 done, 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=days, help="only what was retired longer ago (default HEIMDEX_KEEP_RETIRED_DAYS)")
        parser.add_argument("--dry-run", action="store_true", help="show what would be removed and stop")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        age = timedelta(days=settings.KEEP_RETIRED_DAYS if options["days"] is None else options["days"])
        purged = [entry.as_data() for entry in purge_spaces(age, dry_run=options["dry_run"])]
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], "purged": purged}))
            return
        verb = "would be removed" if options["dry_run"] else "removed"
        for entry in purged:
            whole = ", and the space with them" if entry["space_removed"] else ""
            self.stdout.write(f"{entry['owner']}: {entry['rows']} {entry['channel']} vectors of {entry['model']} {verb}{whole}")
        if not purged:
            self.stdout.write(f"Nothing was retired more than {age.days} days ago.")


def days(text: str) -> int:
    """Return the number that `text` is; ArgumentTypeError for anything but a whole number."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a whole number of days")
    return int(text)
