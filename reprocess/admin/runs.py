"""The admin pages of runs: the list, and a run with its counters, failures and buttons."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from heimdex.admin import ReadOnly
from heimdex.errors import WrongState
from reprocess.actions.runs import CONTROLS
from reprocess.admin.start_run import StartRunMixin, start_view
from reprocess.models import ReprocessFailure, ReprocessRun, RunCounter
from reprocess.reports.runs import measure_progress
from reprocess.reports.trials import describe_trial

MESSAGES = {
    "pause": "Run paused. Its workers stop after the current batch.",
    "resume": "Run resumed.",
    "cancel": "Run canceled. The vectors it has computed are kept.",
    "retry-failed": "Retrying the failures.",
}


class CounterInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The counters of a run, one row per channel."""

    model = RunCounter
    fields = ("step", "channel", "planned", "done", "skipped", "empty", "failed", "not_begun")
    readonly_fields = ("not_begun",)
    extra = 0


class FailureInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The first 50 failures of a run. The API lists all."""

    model = ReprocessFailure
    fields = ("step", "channel", "video", "scene", "error")
    extra = 0
    max_num = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReprocessFailure]:
        """Load the failures with their videos and scenes."""
        return super().get_queryset(request).select_related("video", "scene")


class ReprocessRunAdmin(StartRunMixin, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Runs, newest first."""

    list_display = (
        "created_at",
        "kind",
        "scope",
        "subject",
        "state",
        "progress",
        "video_count",
        "model_calls",
        "spec_version",
        "entry_point",
        "requested_by",
    )
    list_filter = ("state", "waits_for", "scope", "entry_point")
    list_select_related = ("requested_by", "video", "owner", "trial")
    fields = (
        "id",
        "state",
        "progress",
        "error",
        "trial_text",
        "waits_for",
        "scope",
        "subject",
        "force",
        "since",
        "entry_point",
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
        """Add the confirmation page and the buttons that control a run."""
        start = path("start/", self.admin_site.admin_view(start_view), name="reprocess_start")
        control = path("control/<uuid:run_id>/<slug:name>/", self.admin_site.admin_view(control_view), name="reprocess_control")
        return [start, control, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Add the buttons that the run's state allows."""
        run = kwargs.get("obj")
        if run is not None:
            context.update(controls=run.available_controls, unfinished=run.state in ReprocessRun.OPEN)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="scope target")
    def subject(self, run: ReprocessRun) -> Model | str:
        """Return the video or owner of the run's scope."""
        return run.video or run.owner or "everything"

    @admin.display
    def kind(self, run: ReprocessRun) -> str:
        """Return whether the run is a trial."""
        return "trial" if run.is_trial else "run"

    @admin.display(description="trial")
    def trial_text(self, run: ReprocessRun) -> str:
        """Return the report of a trial, one line per statement."""
        if not run.is_trial:
            return "–"
        if run.trial.report is None:
            return "The report appears when the trial has ended."
        return "\n".join(describe_trial(run.trial.report))

    @admin.display
    def progress(self, run: ReprocessRun) -> SafeString:
        """Return a progress bar and the percentage."""
        percent = measure_progress(run).percent
        return format_html('<progress max="100" value="{}" aria-label="progress"></progress> {} %', percent, percent)

    @admin.display(description="plan")
    def plan_text(self, run: ReprocessRun) -> str:
        """Return the stored plan, one line per channel."""
        lines = []
        for channel in run.plan["channels"]:
            causes = ", ".join(f"{cause}: {number}" for cause, number in channel["causes"].items()) or "nothing stale"
            size = f"of {channel['subjects']} {channel['kind']}, {channel['model_calls']} model calls"
            lines.append(f"{channel['step']} / {channel['channel']}: {causes} ({size})")
        return "\n".join(lines)


def control_view(request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
    """Apply a control to a run, and redirect to the run's page. Raise Http404 for an unknown control."""
    if name not in CONTROLS:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    run = get_object_or_404(ReprocessRun, pk=run_id)
    try:
        CONTROLS[name](run.pk)
    except WrongState as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, MESSAGES[name])
    return HttpResponseRedirect(reverse("admin:reprocess_reprocessrun_change", args=[run.pk]))
