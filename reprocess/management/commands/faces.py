"""`manage.py faces`: turn face recognition off or on for an owner, or erase people, photos and faces."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.accounts.models import User
from heimdex.errors import WrongState
from heimdex.management.arguments import find_owner
from people.actions.faces import ErasureCounts, erase_faces
from reprocess.actions.faces import turn_faces_off, turn_faces_on
from reprocess.models import ReprocessRun


class Command(BaseCommand):
    help = (
        "Turn face recognition off, which erases people, photos, faces and their files, or on, or only erase. "
        "HEIMDEX_FACES=off turns it off for the whole server. `erase --all` then erases the existing data. "
        "Exit codes: 0 done, 1 not possible, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["off", "on", "erase"])
        owners = parser.add_mutually_exclusive_group(required=True)
        owners.add_argument("--owner", metavar="EMAIL")
        owners.add_argument("--all", action="store_true", help="every owner; only with erase")
        parser.add_argument("--yes", action="store_true", help="do not ask before erasing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        if options["all"] and what != "erase":
            raise CommandError("--all works only with erase. For the whole server, set HEIMDEX_FACES=off.", returncode=2)
        owners = list(User.objects.order_by("email")) if options["all"] else [find_owner(options["owner"])]
        if what == "on":
            self._turn_on(owners[0], as_json=options["json"])
            return
        if not options["yes"] and not self._confirm(owners):
            raise CommandError("Nothing was erased.")
        erased_by_email = {owner.email: turn_faces_off(owner.pk) if what == "off" else erase_faces(owner.pk) for owner in owners}
        self._report(erased_by_email, as_json=options["json"])

    def _turn_on(self, owner: User, *, as_json: bool) -> None:
        try:
            run = turn_faces_on(owner, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)
        except WrongState as error:
            raise CommandError(str(error)) from error
        answer = f"Face recognition is on for {owner.email}. Run {run.pk} looks for faces in the existing videos."
        self.stdout.write(json.dumps({"owner": owner.email, "run_id": str(run.pk)}) if as_json else answer)

    def _confirm(self, owners: list[User]) -> bool:
        name = owners[0].email if len(owners) == 1 else f"{len(owners)} owners"
        try:
            return (
                input(f"This erases all people, photos and faces of {name} and cannot be undone. Type yes to continue: ").strip() == "yes"
            )
        except EOFError:
            return False

    def _report(self, erased_by_email: dict[str, ErasureCounts], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({email: asdict(erased) for email, erased in erased_by_email.items()}))
            return
        for email, erased in erased_by_email.items():
            self.stdout.write(f"{email}: {erased.people} people, {erased.faces} faces and {erased.files} files erased.")
