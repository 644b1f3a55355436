"""`manage.py down`: stop all that `up` started."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console

from heimdex.services.control import down
from heimdex.services.errors import ServiceError


class Command(BaseCommand):
    help = "Stop the web server, the workers and the database, also after a crash."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Console(stderr=True)
        try:
            with progress.status("Stopping Heimdex …"):
                ran = down(settings.HEIMDEX_HOME)
        except ServiceError as error:
            progress.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            sys.exit(1)
        except KeyboardInterrupt:
            progress.print("Interrupted; call `down` again to stop what still runs.", markup=False)
            sys.exit(130)
        self.stdout.write("Heimdex is stopped." if ran else "Heimdex does not run.")
