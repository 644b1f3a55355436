"""Django's own `check`, which looks at the models too when asked for them with `--tag models`."""

from typing import Any

from django.core import checks
from django.core.management.commands.check import Command as DjangoCheck

from heimdex.checks import MODELS_TAG, check_models


class Command(DjangoCheck):
    help = "Checks the entire project for potential problems; with --tag models, whether every configured model can be had."

    def handle(self, *app_labels: Any, **options: Any) -> None:
        if MODELS_TAG in (options["tags"] or []):
            checks.register(check_models, MODELS_TAG)
        super().handle(*app_labels, **options)
