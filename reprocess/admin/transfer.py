"""Transfer a library from the admin: an action in the list of users, and a page that shows what moves and asks for confirmation."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from heimdex.accounts.models import User
from heimdex.queue import enqueue
from reprocess.actions.transfers import SAME_OWNER, plan_transfer

QUEUED = "The transfer to {target} is queued. When it has ended, this list of videos is empty for {source}."


class TransferForm(forms.Form):
    """The account that gets the library."""

    target = forms.EmailField(label="E-mail address of the new owner", max_length=254)

    def __init__(self, source: User, data: Any) -> None:
        super().__init__(data)
        self._source = source

    def clean_target(self) -> User:
        """Return the account of the address."""
        email = self.cleaned_data["target"]
        target = User.objects.filter(email=email).first()
        if target is None:
            raise forms.ValidationError(f"There is no account {email}. Check the e-mail address.")
        if target == self._source:
            raise forms.ValidationError(SAME_OWNER)
        return target


def may_transfer(request: HttpRequest) -> bool:
    """Return whether the user may transfer libraries: superusers only, because it gives one person's videos to another."""
    return bool(request.user.is_active and isinstance(request.user, User) and request.user.is_superuser)


@admin.action(description="Transfer library", permissions=["transfer"])
def choose_library(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
    """Show the page that transfers the library of the selected user."""
    users = list(queryset[:2])
    if len(users) == 1:
        return HttpResponseRedirect(reverse("admin:reprocess_transfer", args=[users[0].pk]))
    messages.error(request, "Select a single user, whose library is to be transferred.")
    return None


def transfer_view(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Ask for the new owner, show what moves, and queue the transfer on POST. Raise PermissionDenied for others than superusers."""
    if not may_transfer(request):
        raise PermissionDenied
    source = get_object_or_404(User, pk=source_id)
    params = request.POST if request.method == "POST" else request.GET
    form = TransferForm(source, params if "target" in params else None)
    plan = plan_transfer(source, form.cleaned_data["target"]) if form.is_valid() else None
    if request.method == "POST" and plan and not plan.obstacles:
        assert isinstance(request.user, User)
        target = form.cleaned_data["target"]
        with transaction.atomic():
            enqueue("reprocess.tasks.transfer_library", str(source.pk), str(target.pk), str(request.user.pk))
        messages.success(request, QUEUED.format(source=source.email, target=target.email))
        return HttpResponseRedirect(f"{reverse('admin:videos_video_changelist')}?q={source.email}")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"Transfer the library of {source.email}",
        "opts": User._meta,
        "source": source,
        "form": form,
        "plan": plan,
    }
    return TemplateResponse(request, "admin/reprocess/transfer.html", context)
