"""The admin's confirmation page: the plan first, the run only when it is confirmed."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from heimdex.accounts.models import User
from reprocess.actions.plan_run import owner_names, plan_run
from reprocess.actions.start_run import queued_message, start_run
from reprocess.models import ReprocessRun
from reprocess.scope import Scope, ScopeError
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from videos.models import Video


def start_view(request: HttpRequest) -> HttpResponse:
    """Show what a run over the asked scope would do; on POST, start it and lead to the run."""
    if not request.user.is_staff:
        raise PermissionDenied
    try:
        scopes = _scopes(request)
        force = "force" in (request.POST if request.method == "POST" else request.GET)
        if request.method == "POST":
            return _start(request, scopes, force=force)
        plans = [plan_run(scope, force=force).as_data() for scope in scopes]
    except ScopeError as error:
        return HttpResponseBadRequest(str(error))
    kind = scopes[0].kind
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Reprocess embeddings",
        "opts": ReprocessRun._meta,
        "spec_version": LATEST_EMBEDDING_SPEC_VERSION,
        "force": force,
        "scope": kind,
        "ids": [str(scope.video_id or scope.owner_id) for scope in scopes if kind != "all"],
        "plans": [(subject, plan, owner_names(plan)) for subject, plan in zip(_subjects(scopes), plans, strict=True)],
        "videos": sum(plan["videos"] for plan in plans),
        "stale": sum(plan["stale"] for plan in plans),
        "model_calls": sum(plan["model_calls"] for plan in plans),
    }
    return TemplateResponse(request, "admin/reprocess/confirm.html", context)


def _scopes(request: HttpRequest) -> list[Scope]:
    asked = request.POST if request.method == "POST" else request.GET
    try:
        ids = [UUID(one) for one in asked.getlist("id")]
    except ValueError as error:
        raise ScopeError("id", "An id in the address is no UUID.") from error
    kind = asked.get("scope")
    if kind == "all":
        return [Scope("all")]
    if kind == "video" and ids:
        return [Scope("video", video_id=one) for one in ids]
    if kind == "owner" and ids:
        return [Scope("owner", owner_id=one) for one in ids]
    raise ScopeError("scope", "Choose videos or users first, or everything.")


def _subjects(scopes: list[Scope]) -> list[str]:
    titles = {video.pk: video.title for video in Video.objects.filter(pk__in=[scope.video_id for scope in scopes if scope.video_id])}
    emails = {user.pk: user.email for user in User.objects.filter(pk__in=[scope.owner_id for scope in scopes if scope.owner_id])}
    return [titles.get(scope.video_id) or emails.get(scope.owner_id) or "Everything" for scope in scopes]  # type: ignore[arg-type]


def _start(request: HttpRequest, scopes: list[Scope], *, force: bool) -> HttpResponse:
    assert isinstance(request.user, User)
    runs = [start_run(scope, force=force, entrance=ReprocessRun.Entrance.ADMIN, requested_by=request.user) for scope in scopes]
    links = format_html_join(", ", '<a href="{}">run {}</a>', ((_address(run), str(run.pk)[:8]) for run in runs))
    said = queued_message(*runs)
    messages.success(request, format_html("{}: {}", said, links))
    return HttpResponseRedirect(_address(runs[0]) if len(runs) == 1 else reverse("admin:reprocess_reprocessrun_changelist"))


def _address(run: ReprocessRun) -> str:
    return reverse("admin:reprocess_reprocessrun_change", args=[run.pk])
