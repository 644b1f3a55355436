"""Django's own `check`, which also asks the queue's server for a sign of life, and looks at the models with `--tag models`."""

from typing import Any

from django.core import checks
from django.core.management.commands.check import Command as DjangoCheck

from heimdex.checks import MODELS_TAG, check_models
from heimdex.queue import QUEUE_TAG, check_server


class Command(DjangoCheck):
    help = "Checks the entire project for potential problems; with --tag models, whether every configured model can be had."

    def handle(self, *app_labels: Any, **options: Any) -> None:
        # Not for other commands: a migration must not fail for want of a queue.
        checks.register(check_server, QUEUE_TAG)
        if MODELS_TAG in (options["tags"] or []):
            checks.register(check_models, MODELS_TAG)
        super().handle(*app_labels, **options)
