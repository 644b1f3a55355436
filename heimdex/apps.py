"""The app that provides Heimdex's own commands and checks."""

from django.apps import AppConfig


class HeimdexConfig(AppConfig):
    name = "heimdex"

    def ready(self) -> None:
        from django.core.checks import Tags, register

        from heimdex.checks import ENVIRONMENT_TAG, QUEUE_TAG, check_confinement, check_tasks, check_variables

        register(check_variables, ENVIRONMENT_TAG)
        register(check_tasks, QUEUE_TAG)
        register(check_confinement, Tags.security, deploy=True)
