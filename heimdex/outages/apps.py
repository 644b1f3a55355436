"""The app of outages."""

from django.apps import AppConfig


class OutagesConfig(AppConfig):
    name = "heimdex.outages"
    label = "outages"
    default_auto_field = "django.db.models.BigAutoField"
