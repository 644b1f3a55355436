"""`manage.py status`: show what runs."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console

from heimdex.services.report import report, table


class Command(BaseCommand):
    help = "Show every service: state, pid, uptime, restarts, memory. Exit code 0 if all run, else 1."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the state as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        current = report(settings.HEIMDEX_HOME)
        if options["json"]:
            self.stdout.write(json.dumps(current.as_json()))
        elif current.phase == "without supervisor":
            self.stdout.write("The supervisor was killed and left processes: `make up` starts all anew, `make down` stops the rest.")
        elif not current.services:
            self.stdout.write("Heimdex does not run; start it with `make up`.")
        else:
            console = Console(highlight=False, soft_wrap=True)
            console.print(f"Heimdex is {current.phase} at [bold]{current.url}[/]")
            console.print(table(current))
        if not current.running:
            sys.exit(1)
