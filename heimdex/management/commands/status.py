"""`manage.py status`: show which services run, and how much work waits."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from rich.console import Console

from heimdex.backlog import Backlog, measure_backlogs
from heimdex.outages.models import Outage
from heimdex.services.report import build_report, render_table


class Command(BaseCommand):
    help = (
        "Show the state, pid, uptime, restarts and memory of every service, the work that waits in each queue, and outages. "
        "Exit code: 0 if all are running, else 1."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the status as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report, backlogs = build_report(settings.HEIMDEX_HOME), _read_backlogs()
        outages = _list_outages() if report.running else []
        if options["json"]:
            queues = [asdict(backlog) for backlog in backlogs] if backlogs is not None else None
            self.stdout.write(json.dumps({**report.as_json(), "queues": queues, "outages": outages}))
        elif report.phase == "without supervisor":
            self.stdout.write("The supervisor was killed, but its services still run. `make up` restarts everything; `make down` stops it.")
        elif not report.services:
            self.stdout.write("Heimdex is not running. Start it with `make up`.")
        else:
            console = Console(highlight=False, soft_wrap=True)
            console.print(report.headline, markup=False)
            console.print(render_table(report))
            for service in report.services:
                if service.state != "running":
                    console.print(f"The log of {service.name} is {service.log}", markup=False)
        if not options["json"]:
            for backlog in backlogs or ():
                self.stdout.write(f"Queue {backlog}")
            for outage in outages:
                self.stdout.write(f"Outage of the {outage['kind']} since {outage['since']}: {outage['reason']}")
        if not report.running:
            sys.exit(1)


def _list_outages() -> list[dict[str, str]]:
    """Return the outages that work waits for. Without the database, they are not known."""
    try:
        outages = list(Outage.objects.all())
    except DatabaseError:
        return []
    return [{"kind": outage.kind, "since": outage.began_at.isoformat(timespec="seconds"), "reason": outage.reason} for outage in outages]


def _read_backlogs() -> list[Backlog] | None:
    """Return the work of each queue. Return None while the database does not answer."""
    try:
        return measure_backlogs()
    except DatabaseError:
        return None
