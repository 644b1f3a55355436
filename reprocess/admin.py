"""The admin pages of runs, and the actions that start one from videos and users."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from heimdex.accounts.admin import UserAdmin
from heimdex.accounts.models import User
from heimdex.admin import ReadOnly
from reprocess.actions.control import offered
from reprocess.admin_control import control_view
from reprocess.admin_spec import EmbeddingSpecAdmin
from reprocess.admin_start import start_view
from reprocess.models import EmbeddingSpec, ReprocessFailure, ReprocessRun, RunCounter
from reprocess.progress import run_progress
from videos.admin import VideoAdmin
from videos.models import Video


def _to_confirmation(scope: str, ids: Sequence[Any]) -> HttpResponse:
    query = urlencode({"scope": scope, "id": [str(one) for one in ids]}, doseq=True)
    return HttpResponseRedirect(f"{reverse('admin:reprocess_start')}?{query}")


@admin.action(description="Reprocess embeddings", permissions=["reprocess"])
def reprocess_videos(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponse:
    """Show the plan for the selected videos."""
    return _to_confirmation(ReprocessRun.Scope.VIDEO, list(queryset.values_list("pk", flat=True)))


@admin.action(description="Reprocess embeddings", permissions=["reprocess"])
def reprocess_owners(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
    """Show the plan for all videos of the selected users."""
    return _to_confirmation(ReprocessRun.Scope.OWNER, list(queryset.values_list("pk", flat=True)))


class StartsRuns:
    """An admin page from whose list runs may be started, by any member of staff."""

    change_list_template: Any = "admin/reprocess/change_list_with_start.html"

    def has_reprocess_permission(self, request: HttpRequest) -> bool:
        """Say whether the request may start a run; the API asks for the same."""
        return bool(request.user.is_active and request.user.is_staff)


class ReprocessingVideoAdmin(StartsRuns, VideoAdmin):
    """Videos, with the action that reprocesses them."""

    actions = [*VideoAdmin.actions, reprocess_videos]


class ReprocessingUserAdmin(StartsRuns, UserAdmin):
    """Users, with the action that reprocesses their videos."""

    actions = [*UserAdmin.actions, reprocess_owners]


class CounterInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """What became of each channel's scenes."""

    model = RunCounter
    fields = ("step", "channel", "planned", "done", "skipped", "empty", "failed")
    extra = 0


class FailureInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The first failures; the API lists all."""

    model = ReprocessFailure
    fields = ("step", "channel", "video", "scene", "error")
    extra = 0
    max_num = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReprocessFailure]:
        """Return the failures with what each row names."""
        return super().get_queryset(request).select_related("video", "scene")


@admin.register(ReprocessRun)
class ReprocessRunAdmin(StartsRuns, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Runs, newest first."""

    list_display = (
        "created_at",
        "scope",
        "subject",
        "state",
        "progress",
        "video_count",
        "model_calls",
        "spec_version",
        "entrance",
        "requested_by",
    )
    list_filter = ("state", "scope", "entrance")
    list_select_related = ("requested_by", "video", "owner")
    fields = (
        "id",
        "state",
        "progress",
        "error",
        "scope",
        "subject",
        "force",
        "since",
        "entrance",
        "requested_by",
        "spec_version",
        "spec",
        "video_count",
        "model_calls",
        "tokens",
        "cost",
        "max_cost",
        "plan_text",
        "created_at",
        "started_at",
        "finished_at",
    )
    readonly_fields = fields
    inlines = (CounterInline, FailureInline)

    change_form_template = "admin/reprocess/run.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the confirmation page and the buttons that steer a run."""
        start = path("start/", self.admin_site.admin_view(start_view), name="reprocess_start")
        control = path("control/<uuid:run_id>/<slug:name>/", self.admin_site.admin_view(control_view), name="reprocess_control")
        return [start, control, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Give the page the buttons that fit the run's state."""
        run = kwargs.get("obj")
        if run is not None:
            context.update(offered=offered(run), unfinished=run.state in ReprocessRun.OPEN)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="of")
    def subject(self, run: ReprocessRun) -> Model | str:
        """Return the video or owner that the run is about."""
        return run.video or run.owner or "everything"

    @admin.display
    def progress(self, run: ReprocessRun) -> SafeString:
        """Return a bar and a number."""
        percent = run_progress(run).percent
        return format_html('<progress max="100" value="{}" aria-label="progress"></progress> {} %', percent, percent)

    @admin.display(description="plan")
    def plan_text(self, run: ReprocessRun) -> str:
        """Return what the run was to do, and why, in one line per channel."""
        lines = []
        for channel in run.plan["channels"]:
            causes = ", ".join(f"{cause}: {number}" for cause, number in channel["causes"].items()) or "nothing stale"
            of = f"of {channel['subjects']} {channel['kind']}, {channel['model_calls']} model calls"
            lines.append(f"{channel['step']} / {channel['channel']}: {causes} ({of})")
        return "\n".join(lines)


admin.site.register(EmbeddingSpec, EmbeddingSpecAdmin)
admin.site.unregister(Video)
admin.site.register(Video, ReprocessingVideoAdmin)
admin.site.unregister(User)
admin.site.register(User, ReprocessingUserAdmin)
