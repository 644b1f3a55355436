"""The admin site of Heimdex, and the task queue in it: to be looked at, never edited."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from heimdex.queue import QUEUES, depth, oldest_wait_s
from heimdex.redis_broker import QueueUnavailable

admin.site.site_header = admin.site.site_title = "Heimdex"
admin.site.index_title = "Administration"


class ReadOnly:
    """Rows that only the service itself writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a row by hand."""
        return False


class FinishedTaskAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Tasks that have ended, well or badly; above them, how many wait."""

    list_display = ("func", "args", "started", "stopped", "attempt_count")
    list_filter = ("func",)
    fields = ("id", "func", "args", "started", "stopped", "attempt_count", "result")
    readonly_fields = fields
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the queues' depths as the page's second title."""
        return super().changelist_view(request, {**(extra_context or {}), "subtitle": queues_in_words()})


def queues_in_words() -> str:
    """Say how many tasks wait in each queue and how many are being worked on, or that the queue's server is away."""
    try:
        return "; ".join(_in_words(queue) for queue in QUEUES)
    except QueueUnavailable as error:
        return str(error)


def _in_words(queue: str) -> str:
    lengths, wait_s = depth(queue), oldest_wait_s(queue)
    return f"{queue}: {lengths.waiting} waiting{f', the first for {wait_s:.0f} s' if lengths.waiting else ''}, {lengths.taken} taken"


# A schedule runs any dotted path, and a queued task is a pickle: whoever could edit them could run anything.
for model in apps.get_app_config("django_q").get_models():
    if admin.site.is_registered(model):
        admin.site.unregister(model)
    if model._meta.model_name in ("success", "failure"):
        admin.site.register(model, FinishedTaskAdmin)
