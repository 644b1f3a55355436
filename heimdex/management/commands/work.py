"""`manage.py work QUEUE`: run the workers of one queue."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heimdex.cluster_watchdog import run_cluster
from heimdex.queue import QUEUES
from heimdex.redis_broker import QueueUnavailable


class Command(BaseCommand):
    help = "Run a queue's workers until SIGTERM. Exit codes: 0 stopped, 1 workers died or hung (restart the command), 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", choices=QUEUES)

    def handle(self, *args: Any, **options: Any) -> None:
        queue = options["queue"]
        if os.environ.get("Q_CLUSTER_NAME") != queue:
            # django-q reads this variable on import, which has already happened.
            os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "Q_CLUSTER_NAME": queue})
        try:
            code = run_cluster(queue, settings.Q_CLUSTER["ALT_CLUSTERS"][queue]["workers"])
        except QueueUnavailable as error:
            raise CommandError(str(error)) from error
        sys.exit(code)
