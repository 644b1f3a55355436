"""The app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "heimdex.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from heimdex.accounts.token_keys import accept_fallback_keys

        accept_fallback_keys()
