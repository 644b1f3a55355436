"""The app that carries Heimdex's own commands and checks."""

from django.apps import AppConfig


class HeimdexConfig(AppConfig):
    name = "heimdex"

    def ready(self) -> None:
        from heimdex import checks  # noqa: F401  (registers the system checks)
