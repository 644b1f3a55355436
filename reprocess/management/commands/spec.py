"""`manage.py spec`: show the embedding spec, its spaces and the coverage of owners, or write the lock of the code."""

import json
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat
from rich.console import Console
from rich.table import Table

from heimdex.management.arguments import find_owner, parse_positive_integer
from reprocess.reports.owner_coverage import OwnerCoverage, measure_owner_coverage, select_owners_with_targets
from reprocess.reports.spec_overview import SpecOverview, summarize_spec
from reprocess.reports.spec_serializers import OwnerCoverageSerializer, SpecOverviewSerializer
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.spec.lock import LOCK_FILE, write_lock

_OWNERS = 10


class Command(BaseCommand):
    help = (
        "Show the latest embedding spec: version and digest, each step with its model, every space with its size on disk and its use, and "
        "the coverage of owners. Exit codes: 0 shown, 2 wrong usage."
    )
    # The check of the lock fails until this command has written the lock.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--write-lock",
            action="store_true",
            help="record the digests of the code of steps and models in spec.lock.json, and stop; needs no database",
        )
        parser.add_argument("--owner", metavar="EMAIL", help="show the coverage of this owner only")
        parser.add_argument(
            "--owners", type=parse_positive_integer, default=_OWNERS, metavar="N", help=f"show the coverage of N owners (default {_OWNERS})"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write_lock"]:
            write_lock()
            self.stdout.write(f"Wrote {LOCK_FILE.name} for spec version {LATEST_EMBEDDING_SPEC_VERSION}.")
            return
        overview = summarize_spec()
        owners = select_owners_with_targets()
        if options["owner"]:
            owners = owners.filter(pk=find_owner(options["owner"]).pk)
        count = owners.count()
        shown = measure_owner_coverage(list(owners[: options["owners"]]), overview)
        if options["json"]:
            report = {
                **SpecOverviewSerializer(overview).data,
                "owner_count": count,
                "owners": OwnerCoverageSerializer(shown, many=True).data,
            }
            self.stdout.write(json.dumps(report))
            return
        console = Console(file=cast(IO[str], self.stdout), width=None if self.stdout.isatty() else 130)
        self._show(overview, console)
        if not shown:
            self.stdout.write("No owner has indexed videos yet.")
        for owner in shown:
            console.print(_build_coverage_table(owner))
        if count > len(shown):
            self.stdout.write(f"… and {count - len(shown)} more owner(s): --owner EMAIL shows one, --owners N shows more.")

    def _show(self, overview: SpecOverview, console: Console) -> None:
        self.stdout.write(f"Spec {overview.version}, digest {overview.digest}")
        for step in overview.steps:
            identity = step.identity
            size = f", {identity['dimensions']} dimensions" if identity["dimensions"] else ""
            model = f"{identity['model']} {identity['revision']}".rstrip()
            self.stdout.write(f"  {step.name} (code version {step.code_version}): {model}, {identity['backend']}{size}")
            for channel, fingerprint in step.fingerprints.items():
                self.stdout.write(f"    {channel:<12} {fingerprint}")
        self.stdout.write(f"  {overview.search_index}")
        console.print(_build_spaces_table(overview))


def _build_spaces_table(overview: SpecOverview) -> Table:
    table = _build_table("Spaces", "channel", "fingerprint", "spec", "model", "rows>", "vectors>", "codes>", "used by")
    for space in overview.spaces:
        table.add_row(
            space.channel,
            space.fingerprint[:12],
            "latest" if space.latest else space.spec_version,
            space.model,
            str(space.rows),
            filesizeformat(space.table_bytes).replace("\xa0", " "),
            filesizeformat(space.packed_bytes).replace("\xa0", " ") if space.packed_rows else "none",
            space.usage,
        )
    return table


def _build_coverage_table(owner: OwnerCoverage) -> Table:
    numbers = ("embedded>", "empty>", "failed>", "missing>", "covered>")
    table = _build_table(f"{owner.email}: {owner.scenes} scenes", "channel", "fingerprint", "state", "since", "purge due", *numbers)
    for space in owner.spaces:
        table.add_row(
            space.channel,
            space.fingerprint[:12],
            space.state_label,
            f"{space.since:%Y-%m-%d}" if space.since else "–",
            f"{space.purge_from:%Y-%m-%d}" if space.purge_from else "–",
            *(str(number) for number in (space.embedded, space.empty, space.failed, space.missing)),
            f"{space.percent} %",
        )
    return table


def _build_table(title: str, *headings: str) -> Table:
    """Build an empty table. A heading that ends with `>` right-aligns its column."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading.rstrip(">"), justify="right" if heading.endswith(">") else "left")
    return table
