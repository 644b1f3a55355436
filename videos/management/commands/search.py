"""`manage.py search`: search an owner's videos from a terminal."""

import html
import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from heimdex.accounts.models import User
from heimdex.database.names import has_name
from heimdex.errors import Refused
from heimdex.management.arguments import find_owner, parse_positive_integer
from videos.models import Collection, Video
from videos.registry import get_people_search
from videos.search.conditions import SearchFilters
from videos.search.hits import Hit, describe_hit
from videos.search.listing import Sort
from videos.search.modes import Kind, Mode
from videos.search.passages import Passage
from videos.search.query_values import parse_day, parse_duration, parse_language
from videos.search.ranking_model import get_ranking_model
from videos.search.requests import MAX_PER_VIDEO, SearchRequest
from videos.search.service import SearchAnswer, search
from videos.search.typed_names import normalize_name
from videos.times import format_time

NOTHING_ASKED = "Nothing is asked. Give words or a filter."


class Command(BaseCommand):
    help = (
        "Search an owner's scenes. QUERY is in the query language (docs/reference/search.md). "
        "Exit codes: 0 (even without results), 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("query", nargs="?", default="")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--limit", type=parse_positive_integer, default=10, help="the number of results to show (default 10)")
        parser.add_argument("--per-video", type=parse_positive_integer, default=MAX_PER_VIDEO, help="at most so many results of each video")
        parser.add_argument("--no-join", action="store_true", help="show neighboring scenes that answer together as results of their own")
        parser.add_argument("--cursor", default="", help="continue an answer: its next_cursor")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.ALL.value, help="the channels to search")
        parser.add_argument("--evidence", action="append", choices=[kind.value for kind in Kind], default=[], help="may be repeated")
        parser.add_argument("--sort", choices=[sort.value for sort in Sort], default=Sort.RELEVANCE.value)
        parser.add_argument("--video-id", type=_convert(UUID), help="only scenes of this video")
        parser.add_argument("--collection", help="only videos of the collection with this name")
        parser.add_argument("--person", action="append", default=[], metavar="NAME", help="only scenes with any of these people")
        parser.add_argument("--every-person", action="store_true", help="only scenes with all of them")
        parser.add_argument("--lang", action="append", type=_convert(parse_language), default=[], help="only videos in these languages")
        parser.add_argument("--tag", action="append", default=[], help="only scenes with all of these tags")
        parser.add_argument("--after", type=_convert(parse_day), metavar="DAY", help="uploaded on this day or later")
        parser.add_argument("--before", type=_convert(parse_day), metavar="DAY", help="uploaded before this day")
        parser.add_argument("--longer", type=_convert(parse_duration), metavar="DURATION", help="only longer videos: 90, 1:30, 10m")
        parser.add_argument("--shorter", type=_convert(parse_duration), metavar="DURATION", help="only shorter videos")
        parser.add_argument("--facets", action="store_true", help="count what further filters would keep (with --json)")
        parser.add_argument("--explain", action="store_true", help="tell time, candidates and score of each part (with --json)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = find_owner(options["owner"])
        filters = _build_filters(owner, options)
        if not options["query"].strip() and filters == SearchFilters() and options["video_id"] is None:
            raise CommandError(NOTHING_ASKED, returncode=2)
        if options["video_id"] and not Video.objects.filter(owner=owner, pk=options["video_id"]).exists():
            raise CommandError(f"There is no video {options['video_id']}. Check the id.", returncode=2)
        request = SearchRequest(
            options["query"],
            limit=options["limit"],
            per_video=options["per_video"],
            video_id=options["video_id"],
            filters=filters,
            mode=Mode(options["mode"]),
            evidence=frozenset(map(Kind, options["evidence"])),
            sort=Sort(options["sort"]),
            join=not options["no_join"],
            cursor=options["cursor"],
            with_facets=options["facets"],
        )
        try:
            answer = search(owner, request)
        except Refused as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(describe_answer(answer, with_explanation=options["explain"]), cls=DjangoJSONEncoder))
            return
        for notice in answer.notices:
            self.stderr.write(notice)
        if answer.corrections:
            self.stderr.write(f"Also searched for: {', '.join(word for correction in answer.corrections for word in correction.searched)}.")
        for suggestion in answer.suggestions:
            self.stderr.write(f"Only scenes with {suggestion.name}: {suggestion.query}")
        if not answer.hits:
            self.stdout.write("No results. Try other or fewer words.")
        elif not answer.fits:
            self.stdout.write("Nothing fits well. The closest:")
        for number, hit in enumerate(answer.hits, start=answer.offset + 1):
            self._write_hit(number, hit)

    def _write_hit(self, number: int, hit: Hit) -> None:
        start, end = (format_time(seconds, with_tenths=True) for seconds in (hit.scene.start_s, hit.scene.end_s))
        self.stdout.write(f"{number}. {hit.scene.video.title}  {start}–{end}  ({describe_strength(hit)})")
        if hit.matches:
            self.stdout.write(f"   {describe_matches(hit)}")
        if hit.passage:
            self.stdout.write(f"   {describe_passage(hit.passage)}")
        if hit.moments:
            self.stdout.write(f"   {describe_moments(hit)}")
        if hit.next_scene:
            self.stdout.write(f"   followed at {format_time(hit.next_scene.start_s, with_tenths=True)}")
        if text := extract_text(hit):
            self.stdout.write(f"   {text}")


def describe_answer(answer: SearchAnswer, *, with_explanation: bool) -> dict[str, Any]:
    """Return an answer as the data that `--json` prints."""
    return {
        "total": answer.total,
        "offset": answer.offset,
        "next_cursor": answer.next_cursor or None,
        "previous_cursor": answer.previous_cursor or None,
        "notices": answer.notices,
        "fits": answer.fits,
        "corrections": [asdict(correction) for correction in answer.corrections],
        "suggestions": [asdict(suggestion) for suggestion in answer.suggestions],
        "facets": asdict(answer.facets) if answer.facets else None,
        "explanation": [asdict(part) for part in answer.parts] if with_explanation else None,
        "results": [describe_hit(hit, with_evidence=with_explanation) for hit in answer.hits],
    }


def describe_strength(hit: Hit) -> str:
    """Return how probably a scene answers the query, in a word and in percent."""
    return f"{get_ranking_model().label(hit.probability)}, {hit.probability:.0%}" if hit.matches else "listed"


def describe_matches(hit: Hit) -> str:
    """Return the channels that found a scene, as one line."""
    return "matched by " + ", ".join(f"{match.channel} #{match.rank} ({match.score:.2f})" for match in hit.matches)


def describe_passage(passage: Passage) -> str:
    """Return the time of a passage, and how many scenes it has."""
    start, end = (format_time(seconds, with_tenths=True) for seconds in (passage.start_s, passage.end_s))
    return f"part of a passage {start}–{end} of {len(passage.scene_ids)} scenes"


def describe_moments(hit: Hit) -> str:
    """Return when a scene answers the query, as one line, after the time at which a player should start."""
    moments = (f"{format_time(moment.time_s, with_tenths=True)} {moment.kind} {moment.text}".rstrip() for moment in hit.moments)
    return f"play from {format_time(hit.play_from_s, with_tenths=True)} ({'; '.join(moments)})"


def extract_text(hit: Hit) -> str:
    """Return an excerpt with matching words between asterisks, or else the start of the transcript or description."""
    highlighted = next((match.highlight for match in hit.matches if match.highlight), "")
    if highlighted:
        return html.unescape(re.sub(r"</?mark>", "*", highlighted))
    return (hit.scene.transcript or hit.scene.description)[:160]


def _build_filters(owner: User, options: dict[str, Any]) -> SearchFilters:
    return SearchFilters(
        collection_id=_find_collection(owner, options["collection"]) if options["collection"] else None,
        person_ids=tuple(_find_person(owner, name) for name in options["person"]),
        every_person=options["every_person"],
        languages=tuple(options["lang"]),
        tags=tuple(options["tag"]),
        uploaded_from=options["after"],
        uploaded_before=options["before"],
        longer_than_s=options["longer"],
        shorter_than_s=options["shorter"],
    )


def _find_collection(owner: User, name: str) -> UUID:
    collection = Collection.objects.filter(has_name(normalize_name(name)), owner=owner).first()
    if collection is None:
        raise CommandError(f"There is no collection {name}. Check the name.", returncode=2)
    return collection.pk


def _find_person(owner: User, name: str) -> UUID:
    person_id = get_people_search().load_names(owner.pk).find(name)
    if person_id is None:
        raise CommandError(f"There is no person {name}. Check the name.", returncode=2)
    return person_id


def _convert(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a converter of an argument from a function whose ValueError names the fix."""

    def convert(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from error

    return convert
