"""`manage.py invite`: invite a person to register."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from heimdex.accounts.invitations import build_link, invite
from heimdex.accounts.mail import is_mail_configured
from heimdex.errors import Refused
from heimdex.services.commands import read_running_state


class Command(BaseCommand):
    help = (
        "Print, and send where HEIMDEX_EMAIL_URL is set, a link with which one person registers, once, within a week. "
        "Exit codes: 0 invited, 1 not possible, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip()
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"“{email}” is not an e-mail address.", returncode=2) from error
        try:
            invitation = invite(email)
        except Refused as error:
            raise CommandError(str(error)) from error
        link = find_site_url() + build_link(invitation)
        if options["json"]:
            self.stdout.write(json.dumps({"email": invitation.email, "link": link, "expires_at": invitation.expires_at.isoformat()}))
            return
        if is_mail_configured():
            self.stdout.write(f"An e-mail with the link was sent to {invitation.email}.")
        self.stdout.write(f"{invitation.email} can register with this link, once, until {invitation.expires_at:%Y-%m-%d %H:%M %Z}:\n{link}")


def find_site_url() -> str:
    """Return the URL of the site without a slash at its end: HEIMDEX_PUBLIC_URL, else that of the web server on this machine."""
    state = read_running_state(settings.HEIMDEX_HOME)
    local = (state.url if state else "") or f"http://127.0.0.1:{settings.ENVIRONMENT.web_port}"
    return (settings.ENVIRONMENT.public_url or local).rstrip("/")
