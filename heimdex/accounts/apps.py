"""The app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "heimdex.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from heimdex.accounts.second_step import refuse_password_alone
        from heimdex.accounts.token_keys import accept_fallback_keys

        accept_fallback_keys()
        user_logged_in.connect(refuse_password_alone)
