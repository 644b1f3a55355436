"""`manage.py search_index`: the index of words in OpenSearch: its state, a new one, its outbox, and a comparison with the database."""

import json
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from heimdex.management.arguments import find_owner
from videos.models import SceneWords
from videos.search.lexical.base import LexicalUnavailable
from videos.search.lexical.search_index import count_outbox, find_search_index

if TYPE_CHECKING:
    from videos.search.lexical.opensearch.backend import OpenSearchLexical

NO_INDEX = "Words are searched in PostgreSQL, so there is no search index. Set HEIMDEX_LEXICAL=opensearch to have one."
INCOMPLETE = "OpenSearch did not return all documents, so those without a scene were not looked for. Run it again."
WHAT = ("status", "rebuild", "drain", "verify")
MAX_EXAMPLES = 20


class Command(BaseCommand):
    help = (
        "Show the index of words in OpenSearch, build a new one, send what it has not received, or compare it with the database. "
        "Exit codes: 0 done and nothing to do, 1 OpenSearch is away, another rebuild runs, or something is left to do, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=WHAT, metavar="WHAT", help=", ".join(WHAT))
        parser.add_argument("--owner", metavar="EMAIL", help="with verify: compare only the scenes of this owner")
        parser.add_argument("--repair", action="store_true", help="with verify: have everything that differs sent again")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        if what != "verify" and (options["owner"] or options["repair"]):
            raise CommandError("--owner and --repair belong to verify.", returncode=2)
        backend = find_search_index()
        if backend is None:
            raise CommandError(NO_INDEX, returncode=2)
        from videos.search.lexical.opensearch.rebuild import RebuildRefused

        try:
            getattr(self, f"_{what}")(backend, options)
        except (LexicalUnavailable, RebuildRefused) as error:
            raise CommandError(str(error)) from error

    def _status(self, backend: "OpenSearchLexical", options: dict[str, Any]) -> None:
        from videos.search.lexical.opensearch.status import read_status

        status = read_status(backend)
        lines = [
            f"Index: {status.index or 'none'}" + (f"; {status.building} is being built" if status.building else ""),
            f"Scenes: {status.documents} of {status.rows} with words",
            f"Changes: {status.waiting} wait" + (f" since {status.waiting_since:%Y-%m-%d %H:%M}" if status.waiting_since else ""),
            f"Refused: {status.dead}",
        ]
        self._print(options, asdict(status), lines)
        if status.problems:
            raise CommandError(" ".join(status.problems))

    def _rebuild(self, backend: "OpenSearchLexical", options: dict[str, Any]) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True, quiet=options["json"])) as bar:
            task = bar.add_task("Writing the new index", total=SceneWords.objects.count())
            rebuilt = backend.rebuild.run(on_progress=lambda count: bar.update(task, completed=count))
        self._print(options, asdict(rebuilt), [f"The words of {rebuilt.documents} scene(s) are in {rebuilt.name}, which is searched now."])
        if rebuilt.refused:
            raise CommandError(f"OpenSearch refused the words of {rebuilt.refused} scene(s). They are tried again.")

    def _drain(self, backend: "OpenSearchLexical", options: dict[str, Any]) -> None:
        drained, outbox = backend.drain.run(), count_outbox()
        lines = [f"Sent the words of {drained.sent} scene(s).", f"{outbox.waiting} change(s) wait, {outbox.dead} were refused for good."]
        self._print(options, {**asdict(drained), "waiting": outbox.waiting, "dead_changes": outbox.dead}, lines)
        if outbox.waiting or outbox.dead:
            raise CommandError("Not everything could be sent. manage.py search_index status says why.")

    def _verify(self, backend: "OpenSearchLexical", options: dict[str, Any]) -> None:
        result = backend.verifier.verify(find_owner(options["owner"]).pk if options["owner"] else None)
        repaired = backend.verifier.repair(result.differences) if options["repair"] else 0
        counts = Counter(difference.kind.value for difference in result.differences)
        examples = [f"{difference.kind.value}: scene {difference.key.scene_id}" for difference in result.differences[:MAX_EXAMPLES]]
        lines = [f"Compared {result.rows} scene(s) with {result.documents} document(s); {result.pending} change(s) are on their way."]
        lines += [f"{count} {kind}" for kind, count in counts.items()] + [f"  {example}" for example in examples]
        data = {
            "rows": result.rows,
            "documents": result.documents,
            "pending": result.pending,
            "is_complete": result.is_complete,
            **{kind: counts[kind] for kind in ("missing", "outdated", "orphaned")},
            "examples": examples,
            "repaired": repaired,
        }
        self._print(options, data, lines)
        if not result.is_complete:
            raise CommandError(INCOMPLETE)
        if result.differences:
            hint = f"{repaired} are sent again." if repaired else "--repair has them sent again."
            raise CommandError(f"{len(result.differences)} scene(s) differ. {hint}")

    def _print(self, options: dict[str, Any], data: dict[str, Any], lines: list[str]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder))
        else:
            for line in lines:
                self.stdout.write(line)
