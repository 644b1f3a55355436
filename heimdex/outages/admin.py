"""The admin page of outages, for operators: since when, why, and when Heimdex tries again."""

from django.contrib import admin

from heimdex.admin import ReadOnly
from heimdex.outages.models import Outage, PostponedDeletion


@admin.register(Outage)
class OutageAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The outages that last."""

    list_display = ("kind", "began_at", "next_probe_at", "failed_probes", "reason")


@admin.register(PostponedDeletion)
class PostponedDeletionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The files that are deleted when the storage works again."""

    list_display = ("key", "is_prefix", "created_at")
