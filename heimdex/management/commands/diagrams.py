"""`manage.py diagrams`: draw the tables and states of the models into docs/reference/diagrams.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.diagrams import render_diagrams

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "diagrams.md"


class Command(BaseCommand):
    help = "Draw the tables and states of the models. Exit codes: 0 printed, written or up to date, 1 the page is out of date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument("--write", action="store_true", help=f"write {PAGE.name} instead of printing it")
        mode.add_argument("--check", action="store_true", help=f"compare {PAGE.name} with the models")

    def handle(self, *args: Any, **options: Any) -> None:
        page = render_diagrams()
        if options["write"]:
            PAGE.write_text(page, encoding="utf-8")
        elif options["check"]:
            if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
                raise CommandError(f"{PAGE} is out of date. Run manage.py diagrams --write.")
        else:
            self.stdout.write(page)
