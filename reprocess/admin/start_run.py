"""Start runs from the admin: buttons and actions in its lists, and a page that shows the plan and asks for confirmation."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from heimdex.accounts.admin import UserAdmin
from heimdex.accounts.models import User
from reprocess.actions.trials import DEFAULT_SIZE, MAX_SIZE, TrialNotNeeded, start_trial
from reprocess.admin.transfer import choose_library, may_transfer, transfer_view
from reprocess.models import ReprocessRun
from reprocess.planning.plan_serializer import serialize_plan
from reprocess.planning.scope import Scope, ScopeError
from reprocess.planning.search_index import count_planned_documents
from reprocess.reports.runs import format_queued_message
from reprocess.reports.trials import format_queued_trial
from reprocess.runs.requests import load_plan_owners, plan_run, start_run
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from videos.admin import VideoAdmin
from videos.models import Video


class StartRunMixin:
    """An admin list from which any staff member may start a run."""

    change_list_template: Any = "admin/reprocess/change_list_with_start.html"

    def has_reprocess_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may start a run. The API applies the same rule."""
        return bool(request.user.is_active and request.user.is_staff)


@admin.action(description="Reprocess embeddings", permissions=["reprocess"])
def reprocess_videos(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponse:
    """Show the plan for the selected videos."""
    return _redirect_to_plan(ReprocessRun.Scope.VIDEO, list(queryset.values_list("pk", flat=True)))


@admin.action(description="Reprocess embeddings", permissions=["reprocess"])
def reprocess_owners(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
    """Show the plan for all videos of the selected users."""
    return _redirect_to_plan(ReprocessRun.Scope.OWNER, list(queryset.values_list("pk", flat=True)))


class ReprocessingVideoAdmin(StartRunMixin, VideoAdmin):
    """Videos, with the action that reprocesses them."""

    actions = [*VideoAdmin.actions, reprocess_videos]


class ReprocessingUserAdmin(StartRunMixin, UserAdmin):
    """Users, with the actions that reprocess their videos and transfer their library."""

    actions = [*UserAdmin.actions, reprocess_owners, choose_library]

    def has_transfer_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may transfer libraries."""
        return may_transfer(request)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that transfers a library."""
        transfer = path("<uuid:source_id>/transfer/", self.admin_site.admin_view(transfer_view), name="reprocess_transfer")
        return [transfer, *super().get_urls()]


def _redirect_to_plan(scope: str, ids: Sequence[Any]) -> HttpResponse:
    query = urlencode({"scope": scope, "id": [str(key) for key in ids]}, doseq=True)
    return HttpResponseRedirect(f"{reverse('admin:reprocess_start')}?{query}")


def start_view(request: HttpRequest) -> HttpResponse:
    """Show the plan for the requested scopes. On POST, start a run for each scope, and redirect to it.

    Raise PermissionDenied for users who are not staff.
    """
    if not request.user.is_staff:
        raise PermissionDenied
    try:
        scopes = _parse_scopes(request)
        force = "force" in _get_params(request)
        if request.method == "POST" and "trial" in request.POST:
            return _start_trials(request, scopes)
        if request.method == "POST":
            return _start(request, scopes, force=force)
        plans = [serialize_plan(plan_run(scope, force=force)) for scope in scopes]
    except ScopeError as error:
        return HttpResponseBadRequest(str(error))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Reprocess embeddings",
        "opts": ReprocessRun._meta,
        "spec_version": LATEST_EMBEDDING_SPEC_VERSION,
        "force": force,
        "scope": scopes[0].kind,
        "ids": [str(scope.video_id or scope.owner_id) for scope in scopes if scope.kind != "all"],
        "plans": [(name, plan, load_plan_owners(plan)) for name, plan in zip(_load_scope_names(scopes), plans, strict=True)],
        "videos": sum(plan["videos"] for plan in plans),
        "stale": sum(plan["stale"] - count_planned_documents(plan) for plan in plans),
        "documents": sum(count_planned_documents(plan) for plan in plans),
        "notices": list(dict.fromkeys(notice for plan in plans for notice in plan["notices"])),
        "model_calls": sum(plan["model_calls"] for plan in plans),
        "trial_size": DEFAULT_SIZE,
        "max_trial_size": MAX_SIZE,
    }
    return TemplateResponse(request, "admin/reprocess/confirm.html", context)


def _get_params(request: HttpRequest) -> QueryDict:
    return request.POST if request.method == "POST" else request.GET


def _parse_scopes(request: HttpRequest) -> list[Scope]:
    params = _get_params(request)
    try:
        ids = [UUID(text) for text in params.getlist("id")]
    except ValueError as error:
        raise ScopeError("id", "An id in the URL is not a UUID. Go back and select videos or users again.") from error
    kind = params.get("scope")
    if kind == "all":
        return [Scope("all")]
    if kind == "video" and ids:
        return [Scope("video", video_id=key) for key in ids]
    if kind == "owner" and ids:
        return [Scope("owner", owner_id=key) for key in ids]
    raise ScopeError("scope", "Select videos or users first, or reprocess everything.")


def _load_scope_names(scopes: list[Scope]) -> list[str]:
    titles = {video.pk: video.title for video in Video.objects.filter(pk__in=[scope.video_id for scope in scopes if scope.video_id])}
    emails = {user.pk: user.email for user in User.objects.filter(pk__in=[scope.owner_id for scope in scopes if scope.owner_id])}
    return [titles.get(scope.video_id) or emails.get(scope.owner_id) or "Everything" for scope in scopes]  # type: ignore[arg-type]


def _start_trials(request: HttpRequest, scopes: list[Scope]) -> HttpResponse:
    """Queue a trial for each scope. Scopes with nothing to try are named with the reason."""
    assert isinstance(request.user, User)
    size = request.POST.get("size", "")
    if not size.isascii() or not size.isdecimal() or not 1 <= int(size[:9]) <= MAX_SIZE:
        raise ScopeError("size", f"The number of scenes of a trial is from 1 to {MAX_SIZE}. Go back and correct it.")
    runs = []
    for scope in scopes:
        try:
            trial = start_trial(scope, size=int(size), entry_point=ReprocessRun.EntryPoint.ADMIN, requested_by=request.user)
        except TrialNotNeeded as error:
            messages.warning(request, str(error))
        else:
            runs.append(trial)
    if runs:
        messages.success(request, format_html("{}: {}", format_queued_trial(*runs), _link_runs(runs)))
    return _redirect_to_runs(runs)


def _start(request: HttpRequest, scopes: list[Scope], *, force: bool) -> HttpResponse:
    assert isinstance(request.user, User)
    runs = [start_run(scope, force=force, entry_point=ReprocessRun.EntryPoint.ADMIN, requested_by=request.user) for scope in scopes]
    messages.success(request, format_html("{}: {}", format_queued_message(*runs), _link_runs(runs)))
    return _redirect_to_runs(runs)


def _link_runs(runs: Sequence[ReprocessRun]) -> str:
    return format_html_join(", ", '<a href="{}">run {}</a>', ((_build_run_url(run), str(run.pk)[:8]) for run in runs))


def _redirect_to_runs(runs: Sequence[ReprocessRun]) -> HttpResponse:
    return HttpResponseRedirect(_build_run_url(runs[0]) if len(runs) == 1 else reverse("admin:reprocess_reprocessrun_changelist"))


def _build_run_url(run: ReprocessRun) -> str:
    return reverse("admin:reprocess_reprocessrun_change", args=[run.pk])
