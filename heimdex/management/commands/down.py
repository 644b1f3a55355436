"""`manage.py down`: stop everything that `up` started."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console

from heimdex.services import ServiceError
from heimdex.services.commands import stop_services


class Command(BaseCommand):
    help = "Stop the web server, the workers and the database, even after a crash."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Console(stderr=True)
        try:
            with progress.status("Stopping Heimdex …"):
                was_running = stop_services(settings.HEIMDEX_HOME)
        except ServiceError as error:
            progress.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            sys.exit(1)
        except KeyboardInterrupt:
            progress.print("Interrupted. Run `down` again to stop what is still running.", markup=False)
            sys.exit(130)
        self.stdout.write("Heimdex has stopped." if was_running else "Heimdex is not running.")
