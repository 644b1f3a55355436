"""The admin site, and django-q's tasks in it as read-only rows."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from heimdex.backlog import measure_backlogs
from heimdex.queue import ping
from heimdex.redis_broker import QueueUnavailable

admin.site.site_header = admin.site.site_title = "Heimdex"
admin.site.index_title = "Administration"


class ReadOnly:
    """Admin mixin for rows that only the service writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: nobody changes rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: nobody deletes rows by hand."""
        return False


class FinishedTaskAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Finished tasks, with the work of each queue above the list."""

    list_display = ("func", "args", "started", "stopped", "attempt_count")
    list_filter = ("func",)
    fields = ("id", "func", "args", "started", "stopped", "attempt_count", "result")
    readonly_fields = fields
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the work of each queue as the page's subtitle."""
        return super().changelist_view(request, {**(extra_context or {}), "subtitle": summarize_queues()})


def summarize_queues() -> str:
    """Return how much work waits and is in progress in each queue, and why the queue's server cannot be reached, if it cannot."""
    summary = "; ".join(map(str, measure_backlogs()))
    try:
        ping()
    except QueueUnavailable as error:
        return f"{summary}. {error}"
    return summary


# A schedule runs any dotted path, and a queued task is a pickle: an admin who could edit them could run any code.
for model in apps.get_app_config("django_q").get_models():
    if admin.site.is_registered(model):
        admin.site.unregister(model)
    if model._meta.model_name in ("success", "failure"):
        admin.site.register(model, FinishedTaskAdmin)
