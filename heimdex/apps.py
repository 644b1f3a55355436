"""The app that carries Heimdex's own commands and checks."""

from django.apps import AppConfig


class HeimdexConfig(AppConfig):
    name = "heimdex"

    def ready(self) -> None:
        from django.core.checks import register
        from django.db.models.signals import post_migrate

        from heimdex.queue import check_tasks, sync_schedules

        register(check_tasks, "queue")
        # The schedules are part of the schema: they change when the code does, never by hand.
        post_migrate.connect(lambda **kwargs: sync_schedules(), sender=self, weak=False, dispatch_uid="heimdex.schedules")
