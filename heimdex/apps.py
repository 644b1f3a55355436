"""The app that carries Heimdex's own commands and checks."""

from django.apps import AppConfig


class HeimdexConfig(AppConfig):
    name = "heimdex"

    def ready(self) -> None:
        from django.core.checks import register

        from heimdex.queue import QUEUE_TAG, check_tasks

        register(check_tasks, QUEUE_TAG)
