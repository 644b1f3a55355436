"""The entry points to a run in the admin lists: a button for everything, and an action for selected videos or users."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from heimdex.accounts.admin import UserAdmin
from heimdex.accounts.models import User
from reprocess.models import ReprocessRun
from videos.admin import VideoAdmin
from videos.models import Video


class StartRunMixin:
    """An admin list from which any staff member may start a run."""

    change_list_template: Any = "admin/reprocess/change_list_with_start.html"

    def has_reprocess_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may start a run; the API applies the same rule."""
        return bool(request.user.is_active and request.user.is_staff)


@admin.action(description="Reprocess embeddings", permissions=["reprocess"])
def reprocess_videos(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponse:
    """Show the plan for the selected videos."""
    return _redirect_to_plan(ReprocessRun.Scope.VIDEO, list(queryset.values_list("pk", flat=True)))


@admin.action(description="Reprocess embeddings", permissions=["reprocess"])
def reprocess_owners(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
    """Show the plan for all videos of the selected users."""
    return _redirect_to_plan(ReprocessRun.Scope.OWNER, list(queryset.values_list("pk", flat=True)))


def _redirect_to_plan(scope: str, ids: Sequence[Any]) -> HttpResponse:
    query = urlencode({"scope": scope, "id": [str(key) for key in ids]}, doseq=True)
    return HttpResponseRedirect(f"{reverse('admin:reprocess_start')}?{query}")


class ReprocessingVideoAdmin(StartRunMixin, VideoAdmin):
    """Videos, with the action that reprocesses them."""

    actions = [*VideoAdmin.actions, reprocess_videos]


class ReprocessingUserAdmin(StartRunMixin, UserAdmin):
    """Users, with the action that reprocesses their videos."""

    actions = [*UserAdmin.actions, reprocess_owners]
