"""The app that provides Heimdex's own commands and checks."""

from django.apps import AppConfig


class HeimdexConfig(AppConfig):
    name = "heimdex"

    def ready(self) -> None:
        from django.core.checks import register

        from heimdex.checks import QUEUE_TAG, check_tasks

        register(check_tasks, QUEUE_TAG)
