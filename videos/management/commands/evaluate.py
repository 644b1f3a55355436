"""`manage.py evaluate`: measure search with judged queries."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from heimdex.accounts.models import User
from heimdex.errors import Refused
from heimdex.management.arguments import find_owner
from videos.evaluation.bootstrap import DRAWS
from videos.evaluation.judgments import JudgedQuery, read_judgments
from videos.evaluation.library import LIBRARY, Evaluation, evaluate_library, evaluate_run
from videos.evaluation.measures import LABELS
from videos.evaluation.rankings import MODES
from videos.evaluation.references import ResolvedQuery, resolve_queries
from videos.evaluation.report import SummaryRow
from videos.evaluation.runs import read_run
from videos.evaluation.saved import list_saved_queries
from videos.evaluation.text_files import InvalidFile

_PLACES = {LIBRARY: "In the whole library", "video": "In the video of each query"}


class Command(BaseCommand):
    help = (
        "Measure the search of a library with judged queries: nDCG@10, R@1, R@10 and MRR with intervals, by mode, channel and class. "
        "Exit codes: 0 measured, 1 a channel was left out, so that figures are incomplete, 2 wrong usage or a bad file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", metavar="FILE", help="judged queries: JSON lines, or TREC's qrels (with --topics)"
        )
        parser.add_argument("--saved", action="store_true", help="measure with the owner's own judgments of results instead of a file")
        parser.add_argument("--topics", type=Path, metavar="FILE", help="the queries of qrels: id, tab, query, and maybe a tab and a class")
        parser.add_argument("--owner", metavar="EMAIL", help="the owner of the library")
        parser.add_argument("--run", type=Path, metavar="FILE", help="measure the rankings of this run in TREC's format; do not search")
        parser.add_argument("--mode", action="append", choices=MODES, help="show only this mode; may be repeated")
        parser.add_argument("--channel", action="append", metavar="NAME", help="show only this channel; may be repeated")
        parser.add_argument("--backend", action="append", metavar="ALIAS", help="a lexical backend of LEXICAL_BACKENDS (default: each)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["file"] is None) != options["saved"]:
            raise CommandError("Give either a FILE of judged queries or --saved.", returncode=2)
        if (options["owner"] is None) == (options["run"] is None):
            raise CommandError("Give --owner EMAIL to measure a library, or --run FILE to measure a run.", returncode=2)
        if options["saved"] and (options["run"] or options["topics"]):
            raise CommandError("--saved measures the library of --owner EMAIL. Leave out --run and --topics.", returncode=2)
        try:
            if options["saved"]:
                evaluation = _evaluate(_list_saved(find_owner(options["owner"])), options)
            else:
                queries = read_judgments(options["file"], options["topics"])
                evaluation = evaluate_run(queries, read_run(options["run"])) if options["run"] else _evaluate_file(queries, options)
        except (InvalidFile, Refused) as error:
            raise CommandError(str(error), returncode=2) from error
        rows = select_rows(evaluation.rows, options["mode"], options["channel"])
        if options["json"]:
            data = {"queries": evaluation.queries, "rows": [row.as_data() for row in rows], "notices": evaluation.notices}
            self.stdout.write(json.dumps(data))
        else:
            for line in format_report(evaluation, rows):
                self.stdout.write(line)
        if evaluation.notices:
            raise CommandError("The figures are incomplete: " + " ".join(evaluation.notices), returncode=1)


def select_rows(rows: Sequence[SummaryRow], modes: Sequence[str] | None, channels: Sequence[str] | None) -> list[SummaryRow]:
    """Return the rows of some modes and channels, or all rows. Raise CommandError with exit code 2 for a channel that found nothing."""
    names = {row.name for row in rows if row.kind == "channel"}
    if unknown := [name for name in channels or () if name not in names]:
        raise CommandError(f"The channel {unknown[0]} found nothing. Choose from {', '.join(sorted(names)) or 'none'}.", returncode=2)
    if not modes and not channels:
        return list(rows)
    selected = {("mode", name) for name in modes or ()} | {("channel", name) for name in channels or ()}
    return [row for row in rows if (row.kind, row.name) in selected]


def format_report(evaluation: Evaluation, rows: Sequence[SummaryRow]) -> list[str]:
    """Return the report as lines of text. Pure."""
    lines = [f"{evaluation.queries} judged queries"]
    for scope in dict.fromkeys(row.scope for row in rows):
        of_scope = [row for row in rows if row.scope == scope]
        title = f"{_PLACES[scope.place]}, lexical backend {scope.backend}" if scope.backend != "run" else "The run"
        cells = [["class", "ranking", "queries", *LABELS.values()], *(_format_cells(row) for row in of_scope)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
        lines += ["", title, *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)]
    return [
        *lines,
        "",
        f"In parentheses: the middle 95 % of {DRAWS} bootstrap draws of the queries. R@k: a relevant scene is among the first k.",
    ]


def _format_cells(row: SummaryRow) -> list[str]:
    sign = "+" if row.against else ""
    name = f"{row.name} minus {row.against}" if row.against else row.name
    estimates = [row.estimates[measure] for measure in LABELS]
    figures = [f"{item.mean:{sign}.3f} ({item.low:{sign}.3f} to {item.high:{sign}.3f})" for item in estimates]
    return [row.query_class, name, str(row.queries), *figures]


def _list_saved(owner: User) -> list[ResolvedQuery]:
    saved = list_saved_queries(owner.pk)
    if not saved:
        raise CommandError(f"{owner.email} has judged no scene as fitting a query. Use the buttons on the search page first.", returncode=2)
    return saved


def _evaluate_file(queries: Sequence[JudgedQuery], options: dict[str, Any]) -> Evaluation:
    return _evaluate(resolve_queries(options["file"], find_owner(options["owner"]).pk, queries), options)


def _evaluate(resolved: Sequence[ResolvedQuery], options: dict[str, Any]) -> Evaluation:
    owner = find_owner(options["owner"])
    backends = options["backend"] or list(settings.LEXICAL_BACKENDS)
    if unknown := [alias for alias in backends if alias not in settings.LEXICAL_BACKENDS]:
        raise CommandError(f"There is no backend {unknown[0]}. Choose from {', '.join(settings.LEXICAL_BACKENDS)}.", returncode=2)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Searching", total=len(resolved) * len(backends))
        return evaluate_library(owner, resolved, backends, lambda: bar.advance(task))
