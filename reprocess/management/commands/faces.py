"""`manage.py faces`: switch faces off or on for an owner, or erase what is known of them."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.accounts.models import User
from people.actions.erase_faces import Erased, erase_faces
from reprocess.actions.errors import WrongState
from reprocess.actions.switch_faces import switch_faces_off, switch_faces_on
from reprocess.management.commands.cutover import owner_named
from reprocess.models import ReprocessRun


class Command(BaseCommand):
    help = (
        "Switch faces off (nothing is found any more, and people, photos, faces and their files are erased), switch them on again, or "
        "erase alone. HEIMDEX_FACES=off switches them off for the whole installation; `erase --all` then erases what was found before. "
        "Exit codes: 0 done, 1 not possible, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["off", "on", "erase"])
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--owner", metavar="EMAIL")
        whose.add_argument("--all", action="store_true", help="every owner; with erase alone")
        parser.add_argument("--yes", action="store_true", help="do not ask before erasing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        if options["all"] and what != "erase":
            raise CommandError("--all goes with erase. For the whole installation set HEIMDEX_FACES instead.", returncode=2)
        owners = list(User.objects.order_by("email")) if options["all"] else [owner_named(options["owner"])]
        if what == "on":
            self._switch_on(owners[0], as_json=options["json"])
            return
        if not options["yes"] and not self._agreed(owners):
            raise CommandError("Nothing was erased.")
        done = {owner.email: switch_faces_off(owner.pk) if what == "off" else erase_faces(owner.pk) for owner in owners}
        self._say(done, as_json=options["json"])

    def _switch_on(self, owner: User, *, as_json: bool) -> None:
        try:
            run = switch_faces_on(owner, entrance=ReprocessRun.Entrance.COMMAND, requested_by=None)
        except WrongState as error:
            raise CommandError(str(error)) from error
        answer = f"Faces are looked for in the videos of {owner.email}. Run {run.pk} looks through those that are there."
        self.stdout.write(json.dumps({"owner": owner.email, "run_id": str(run.pk)}) if as_json else answer)

    def _agreed(self, owners: list[User]) -> bool:
        whom = owners[0].email if len(owners) == 1 else f"{len(owners)} owners"
        try:
            return input(f"All people, photos and faces of {whom} will be erased; this cannot be undone. Type yes: ").strip() == "yes"
        except EOFError:
            return False

    def _say(self, done: dict[str, Erased], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({email: erased.as_data() for email, erased in done.items()}))
            return
        for email, erased in done.items():
            self.stdout.write(f"{email}: {erased.people} people, {erased.faces} faces and {erased.files} files erased.")
