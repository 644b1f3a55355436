"""Django's `check`, extended by the queue's server and, with `--tag models`, the models."""

from typing import Any

from django.core import checks
from django.core.management.commands.check import Command as DjangoCheck

from heimdex.checks import MODELS_TAG, QUEUE_TAG, check_models, check_queue_server


class Command(DjangoCheck):
    help = "Check the whole project for problems. With --tag models, check that every configured model is available."

    def handle(self, *app_labels: Any, **options: Any) -> None:
        checks.register(check_queue_server, QUEUE_TAG)
        if MODELS_TAG in (options["tags"] or []):
            checks.register(check_models, MODELS_TAG)
        super().handle(*app_labels, **options)
