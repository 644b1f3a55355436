"""The app of the embedding spec and its runs."""

from django.apps import AppConfig


class ReprocessConfig(AppConfig):
    name = "reprocess"

    def ready(self) -> None:
        from reprocess import checks  # noqa: F401  (registers the system check of the spec's lock)
