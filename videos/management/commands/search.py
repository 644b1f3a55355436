"""`manage.py search`: search an owner's videos from a terminal."""

import html
import json
import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from heimdex.management.arguments import find_owner, parse_positive_integer
from videos.search.service import Hit, SearchRequest, describe_hit, search
from videos.times import format_time


class Command(BaseCommand):
    help = "Search an owner's scenes. Exit codes: 0 (even without results), 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("query")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--limit", type=parse_positive_integer, default=10, help="the number of scenes to show (default 10)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = find_owner(options["owner"])
        if not options["query"].strip():
            raise CommandError("The query is empty. Give at least one word.", returncode=2)
        answer = search(owner, SearchRequest(options["query"], limit=options["limit"]))
        if options["json"]:
            data = {"total": answer.total, "notices": answer.notices, "results": [describe_hit(hit) for hit in answer.hits]}
            self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder))
            return
        for notice in answer.notices:
            self.stderr.write(notice)
        if not answer.hits:
            self.stdout.write("No results. Try other or fewer words.")
        for rank, hit in enumerate(answer.hits, start=1):
            start, end = (format_time(seconds, with_tenths=True) for seconds in (hit.scene.start_s, hit.scene.end_s))
            self.stdout.write(f"{rank}. {hit.scene.video.title}  {start}–{end}  ({hit.score:.4f})")
            self.stdout.write(f"   {describe_matches(hit)}")
            if text := extract_text(hit):
                self.stdout.write(f"   {text}")


def describe_matches(hit: Hit) -> str:
    """Return the channels that found a scene, as one line."""
    return "matched by " + ", ".join(f"{match.channel} #{match.rank} ({match.score:.2f})" for match in hit.matches)


def extract_text(hit: Hit) -> str:
    """Return an excerpt with matching words between asterisks, or else the start of the transcript or description."""
    highlighted = next((match.highlight for match in hit.matches if match.highlight), "")
    if highlighted:
        return html.unescape(re.sub(r"</?mark>", "*", highlighted))
    return (hit.scene.transcript or hit.scene.description)[:160]
