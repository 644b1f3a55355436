"""`manage.py up`: start Heimdex on this machine, in the background."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console

from heimdex.checks import ENVIRONMENT_TAG
from heimdex.services import ServiceError
from heimdex.services.commands import start_services
from heimdex.services.report import build_report, render_table
from heimdex.services.state import Phase


class Command(BaseCommand):
    help = "Start the database, the web server and the workers in the background, and wait until they are ready."
    # The other checks need what this command starts; a misspelled setting must be visible here.
    requires_system_checks = [ENVIRONMENT_TAG]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the status as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        home = settings.HEIMDEX_HOME
        progress = Console(stderr=True)
        try:
            with progress.status("Starting Heimdex …") as status:

                def show(phase: Phase) -> None:
                    status.update(f"Heimdex: {phase.value} …")

                state, started = start_services(home, show)
        except ServiceError as error:
            progress.print(f"Heimdex did not start. {error}", style="red", markup=False, highlight=False, soft_wrap=True)
            sys.exit(1)
        except KeyboardInterrupt:
            progress.print("Interrupted. Everything that was started has been stopped.")
            sys.exit(130)
        report = build_report(home)
        if options["json"]:
            self.stdout.write(json.dumps({**report.as_json(), "already_running": not started}))
            return
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"Heimdex is {'running' if started else 'already running'} at [bold]{state.url}[/]")
        if not state.url.endswith(f":{settings.ENVIRONMENT.web_port}"):
            console.print(f"(Port {settings.ENVIRONMENT.web_port} is in use. Set HEIMDEX_WEB_PORT to choose another one.)")
        console.print(render_table(report))
        console.print(f"Logs: {home / 'logs'}", markup=False)
        console.print("Check the status with `make status`. Stop everything with `make down`.", markup=False)
