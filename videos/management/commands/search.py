"""`manage.py search`: search an owner's videos from a terminal."""

import html
import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.accounts.models import User
from videos.search.service import Hit, SearchRequest, search


class Command(BaseCommand):
    help = "Search an owner's scenes. Exit codes: 0 (also when nothing is found), 1 the owner is unknown, 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("query")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--limit", type=at_least_one, default=10, help="how many scenes to show (default 10)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(email__iexact=options["owner"].strip()).first()
        if owner is None:
            raise CommandError(f"There is no owner {options['owner']}.")
        found = search(owner, SearchRequest(options["query"], limit=options["limit"]))
        if options["json"]:
            self.stdout.write(json.dumps({"total": found.total, "notices": found.notices, "results": [_data(hit) for hit in found.hits]}))
            return
        for notice in found.notices:
            self.stderr.write(notice)
        if not found.hits:
            self.stdout.write("Nothing matches. Try other words, or fewer.")
        for place, hit in enumerate(found.hits, start=1):
            self.stdout.write(f"{place}. {hit.scene.video.title}  {clock(hit.scene.start_s)}–{clock(hit.scene.end_s)}  ({hit.score:.4f})")
            self.stdout.write(f"   {reasons(hit)}")
            if text := excerpt(hit):
                self.stdout.write(f"   {text}")


def at_least_one(text: str) -> int:
    """Return the number that `text` is; ArgumentTypeError for anything but a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def clock(seconds: float) -> str:
    """Return a time as m:ss.t."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def reasons(hit: Hit) -> str:
    """Return why a scene matched, as one line."""
    return "because " + ", ".join(f"{match.channel} #{match.rank} ({match.score:.2f})" for match in hit.matches)


def excerpt(hit: Hit) -> str:
    """Return the words that matched between asterisks, or else the beginning of what is said or seen."""
    highlighted = next((match.highlight for match in hit.matches if match.highlight), "")
    if highlighted:
        return html.unescape(re.sub(r"</?mark>", "*", highlighted))
    return (hit.scene.transcript or hit.scene.description)[:160]


def _data(hit: Hit) -> dict[str, Any]:
    return {
        "scene_id": str(hit.scene.pk),
        "video_id": str(hit.scene.video_id),
        "title": hit.scene.video.title,
        "start_s": hit.scene.start_s,
        "end_s": hit.scene.end_s,
        "score": hit.score,
        "transcript": hit.scene.transcript,
        "description": hit.scene.description,
        "on_screen_text": hit.scene.on_screen_text,
        "matches": [vars(match) for match in hit.matches],
    }
