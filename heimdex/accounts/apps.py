"""The app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "heimdex.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Accounts"
