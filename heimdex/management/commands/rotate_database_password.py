"""`manage.py rotate_database_password`: give the roles of the embedded database new passwords."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heimdex.database import EmbeddedServerError
from heimdex.database.server import EmbeddedServer

OWN_SERVER = (
    "HEIMDEX_DATABASE_URL names a server of your own, so this command cannot change its passwords. "
    "docs/how-to/rotate-secrets.md has the steps."
)


class Command(BaseCommand):
    help = (
        "Give both roles of the embedded database new passwords. Heimdex keeps running. "
        "Exit codes: 0 done, 1 not possible, 2 the database is not the embedded one."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT.database_url:
            raise CommandError(OWN_SERVER, returncode=2)
        try:
            EmbeddedServer(settings.HEIMDEX_HOME).rotate_passwords()
        except EmbeddedServerError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The database has new passwords, and the old ones are refused. Nothing needs a restart.")
