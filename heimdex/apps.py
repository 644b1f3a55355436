"""The app that provides Heimdex's own commands and checks."""

from django.apps import AppConfig


class HeimdexConfig(AppConfig):
    name = "heimdex"

    def ready(self) -> None:
        from django.apps import apps
        from django.core.checks import Tags, register
        from django.db.models.signals import post_migrate

        from heimdex.checks import (
            ENVIRONMENT_TAG,
            QUEUE_TAG,
            check_confinement,
            check_database_role,
            check_https,
            check_tasks,
            check_variables,
        )
        from heimdex.database.roles import grant_rights_after_migration

        register(check_variables, ENVIRONMENT_TAG)
        register(check_tasks, QUEUE_TAG)
        register(check_confinement, Tags.security, deploy=True)
        register(check_database_role, Tags.security, deploy=True)
        register(check_https, Tags.security, deploy=True)
        # Sent once per app with models, after all migrations. This app has none.
        post_migrate.connect(grant_rights_after_migration, sender=apps.get_app_config("accounts"))
