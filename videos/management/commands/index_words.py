"""`manage.py index_words`: analyze the words of videos that the search for words does not know yet."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from heimdex.management.arguments import find_owner
from videos.search.lexical.backfill import backfill_words, count_videos_to_backfill


class Command(BaseCommand):
    help = "Analyze the words of videos that were indexed by an older release. The workers do the same, a little at a time. Exit code: 0."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", metavar="EMAIL", help="only the videos of this owner")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner_id = find_owner(options["owner"]).pk if options["owner"] else None
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True, quiet=options["json"])) as bar:
            task = bar.add_task("Analyzing words", total=count_videos_to_backfill(owner_id))
            count = backfill_words(owner_id, on_video=lambda: bar.advance(task))
        self.stdout.write(json.dumps({"videos": count}) if options["json"] else f"Analyzed the words of {count} video(s).")
