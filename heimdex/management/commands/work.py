"""`manage.py work QUEUE`: run the workers of one queue."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heimdex.queue import QUEUES
from heimdex.redis_broker import QueueUnavailable
from heimdex.workers import keep_workers


class Command(BaseCommand):
    help = "Run a queue's workers until SIGTERM. Exit codes: 0 told to stop, 1 the workers died or hung (start it again), 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", choices=QUEUES)

    def handle(self, *args: Any, **options: Any) -> None:
        queue = options["queue"]
        if os.environ.get("Q_CLUSTER_NAME") != queue:
            # django-q reads the name when it is imported, which has happened by now.
            os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "Q_CLUSTER_NAME": queue})
        try:
            code = keep_workers(queue, settings.Q_CLUSTER["ALT_CLUSTERS"][queue]["workers"])
        except QueueUnavailable as error:
            raise CommandError(str(error)) from error
        sys.exit(code)
