"""`manage.py transfer_library`: give an owner's videos and people to another owner."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from heimdex.errors import Refused, WrongState
from heimdex.management.arguments import find_owner
from heimdex.storage import StorageError
from reprocess.actions.transfers import SAME_OWNER, TransferPlan, plan_transfer, transfer_library
from reprocess.models import ReprocessRun


class Command(BaseCommand):
    help = (
        "Give the videos, people, faces and vectors of an owner, with their files, to another owner. The old owner sees nothing of it any "
        "more. Run it again after an interruption. Exit codes: 0 done, 1 not possible, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="FROM", help="e-mail address of the owner whose library it is")
        parser.add_argument("target", metavar="TO", help="e-mail address of the new owner")
        parser.add_argument("--dry-run", action="store_true", help="only show what would move, and what stands in its way")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        source, target = find_owner(options["source"]), find_owner(options["target"])
        if source == target:
            raise CommandError(SAME_OWNER, returncode=2)
        if options["dry_run"]:
            self._show(plan_transfer(source, target), as_json=options["json"])
            return
        try:
            report = transfer_library(source, target, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)
        except (Refused, WrongState) as error:
            raise CommandError(f"Nothing was transferred. {error}") from error
        except StorageError as error:
            raise CommandError(f"The transfer was interrupted. {error} Run the same command again: it continues.") from error
        if options["json"]:
            self.stdout.write(json.dumps({"source": source.email, "target": target.email, **asdict(report), "run_id": str(report.run_id)}))
            return
        self.stdout.write(
            f"{report.videos} videos, {report.people} people and {report.photos} photos ({report.copied_files} files) now belong to "
            f"{target.email}. {report.renamed_people} people have another name, because {target.email} has people of that name. "
            f"Run {report.run_id} updates the vectors."
        )

    def _show(self, plan: TransferPlan, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(plan)))
        else:
            self.stdout.write(
                f"{plan.videos} videos ({filesizeformat(plan.size_bytes)}), {plan.people} people and {plan.photos} photos would move from "
                f"{plan.source} to {plan.target}. {plan.unfinished_uploads} unfinished uploads stay."
            )
            for obstacle in plan.obstacles:
                self.stdout.write(obstacle)
        if plan.obstacles:
            raise CommandError("The transfer is not possible now.")
