"""`manage.py reset_two_factor`: let a person who has lost all second factors log in with the password again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.accounts.models import User
from heimdex.accounts.two_factor import turn_off


class Command(BaseCommand):
    help = (
        "Remove the authenticator app, the passkeys and the recovery codes of an account, and end its logins. Its password then suffices. "
        "Exit codes: 0 removed, or there were none; 2 no such account."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"]).first()
        if user is None:
            raise CommandError(f"No account has the e-mail address “{options['email']}”.", returncode=2)
        if turn_off(user):
            self.stdout.write(f"Two-factor authentication of {user.email} is off, and all logins of the account were ended.")
        else:
            self.stdout.write(f"Two-factor authentication of {user.email} was off already. Nothing was changed.")
