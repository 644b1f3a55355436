"""The admin pages of users. Apps that add to them extend `UserAdmin` and register the subclass."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import get_text_list
from rest_framework_simplejwt.token_blacklist.admin import OutstandingTokenAdmin
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from heimdex.accounts.access import end_logins, lock_account
from heimdex.accounts.forms import UniqueEmailForm
from heimdex.accounts.invitations import build_link, check_address, find_problem, invite
from heimdex.accounts.login_pages import StaffLoginPage
from heimdex.accounts.mail import is_mail_configured
from heimdex.accounts.models import Invitation, User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.quotas import describe_usage
from heimdex.accounts.two_factor import get_status, turn_off
from heimdex.errors import Refused

admin.site.login = StaffLoginPage.as_view()  # type: ignore[assignment, method-assign]

ONLY_SUPERUSERS = "Only superusers may change accounts of staff."
_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class AdminUserForm(UniqueEmailForm, auth_forms.AdminUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Create an account."""

    class Meta:
        model = User
        fields = ["email", "name"]


class AdminUserChangeForm(UniqueEmailForm, auth_forms.UserChangeForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Change an account. The password has its own form, linked from here."""

    class Meta:
        model = User
        fields = "__all__"


def may_change(editor: Any, user: User) -> bool:
    """Return whether the account may be changed, by someone who may change accounts.

    Staff could otherwise set the password of an account with more rights, and log in with it.
    """
    return bool(editor.is_superuser or editor.pk == user.pk or not (user.is_staff or user.is_superuser))


def _may_change_all(request: HttpRequest, users: list[User]) -> bool:
    """Return whether all selected accounts may be changed. Else say whose may not."""
    protected = next((user for user in users if not may_change(request.user, user)), None)
    if protected:
        messages.error(request, f"{ONLY_SUPERUSERS} Nothing was changed; leave {protected} out of the selection.")
    return protected is None


@admin.action(description="End all logins", permissions=["change"])
def end_logins_of_users(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> None:
    """End the sessions and revoke the refresh tokens of the selected users."""
    users = list(queryset)
    if not _may_change_all(request, users):
        return
    ended = [end_logins(user.pk) for user in users]
    sessions, tokens = sum(item.sessions for item in ended), sum(item.refresh_tokens for item in ended)
    counts = get_text_list([_count(sessions, "session"), _count(tokens, "refresh token")], "and")
    messages.success(request, f"{counts} ended. The users can log in again.")


@admin.action(description="Lock accounts", permissions=["change"])
def lock_accounts(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> None:
    """Lock the selected accounts and end their logins."""
    users = list(queryset)
    if not _may_change_all(request, users):
        return
    if request.user in users:
        messages.error(request, "You cannot lock your own account. Nothing was changed; leave it out of the selection.")
        return
    for user in users:
        lock_account(user.pk)
    messages.success(request, f"{_count(len(users), 'account')} {'was' if len(users) == 1 else 'were'} locked and logged out.")


@admin.action(description="Reset two-factor authentication", permissions=["change"])
def reset_two_factor_of_users(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> None:
    """Remove the second factors of the selected users, who have lost them, and end their logins."""
    users = list(queryset)
    if not _may_change_all(request, users):
        return
    if request.user in users:
        messages.error(request, "You cannot reset your own. Nothing was changed; turn it off on your account's page, or leave it out.")
        return
    reset = [user for user in users if turn_off(user)]
    for user in reset:
        modeladmin.log_change(request, user, "Reset two-factor authentication.")
    messages.success(request, f"Two-factor authentication of {_count(len(reset), 'account')} was turned off, and their logins were ended.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """Users, identified by e-mail address, with Django's password form."""

    form = AdminUserChangeForm
    add_form = AdminUserForm
    actions: list[Any] = [end_logins_of_users, lock_accounts, reset_two_factor_of_users]
    list_display = ["email", "name", "is_staff", "is_active", "date_joined", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active", "groups"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    readonly_fields = ["id", "two_factor", "usage", "date_joined", "last_login"]
    fieldsets = [
        (None, {"fields": ["id", "email", "name", "password", "two_factor"]}),
        ("Permissions", {"fields": ["is_active", "is_email_confirmed", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Limits", {"fields": ["usage", "max_bytes", "max_minutes"]}),
        ("Dates", {"fields": ["date_joined", "last_login"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "name", "usable_password", "password1", "password2"]})]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may change this account; also asked by the page that sets a password."""
        return super().has_change_permission(request, obj) and (obj is None or may_change(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may delete this account."""
        return super().has_delete_permission(request, obj) and (obj is None or may_change(request.user, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Return the fields that the user sees only. Otherwise staff could give themselves all rights."""
        return [*self.readonly_fields, *([] if request.user.is_superuser else _RIGHTS)]

    @admin.display(description="usage")
    def usage(self, user: User) -> str:
        """Return what the user's files use, beside the limits that apply."""
        return describe_usage(user)

    @admin.display(description="two-factor authentication")
    def two_factor(self, user: User) -> str:
        """Return whether a password alone logs in to the account."""
        return "on" if get_status(user).is_on else "off"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a user. A cleared "active" also ends the user's logins."""
        super().save_model(request, obj, form, change)
        if change and not obj.is_active and "is_active" in form.changed_data:
            lock_account(obj.pk)


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Invite an address."""

    class Meta:
        model = Invitation
        fields = ["email"]

    def clean(self) -> None:
        """Raise ValidationError when the invitation could not be used."""
        super().clean()
        try:
            check_address(self.cleaned_data.get("email", ""))
        except Refused as error:
            raise ValidationError({error.field or NON_FIELD_ERRORS: str(error)}) from error


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """Invitations. Each is added with its address alone and never changed; deleting it ends its link."""

    form = InvitationForm
    list_display = ["email", "status", "invited_by", "created_at", "expires_at", "used_at"]
    search_fields = ["email"]
    fields = ["email", "link", "status", "invited_by", "created_at", "expires_at", "used_at"]

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        """Return only the address for a new invitation."""
        return self.fields if obj else ["email"]

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """Return False: the page of an invitation shows its link."""
        return False

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """Invite the address."""
        obj.pk = invite(obj.email, get_owner(request)).pk

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show why an invitation could not be sent. Then there is none."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.path)

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        """Show the link."""
        if is_mail_configured():
            self.message_user(request, f"An e-mail with the link was sent to {obj.email}.", messages.SUCCESS)
        return redirect("admin:accounts_invitation_change", obj.pk)

    @admin.display(description="status")
    def status(self, invitation: Invitation) -> str:
        """Return whether the link works."""
        return find_problem(invitation, timezone.now()) or "The link is open."

    @admin.display(description="link")
    def link(self, invitation: Invitation) -> str:
        """Return the link, to be copied, while it works."""
        if find_problem(invitation, timezone.now()):
            return "–"
        return format_html('<a href="{}">Copy the address of this link, and send it to the invited person</a>', build_link(invitation))


class RefreshTokenAdmin(OutstandingTokenAdmin):
    """The refresh tokens that were given out: for whom and until when, but not the tokens. Whoever has one is its user."""

    fields = ["jti", "user", "created_at", "expires_at"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse filters by the token. Whoever may see the list could otherwise find one out, letter by letter."""
        return not lookup.startswith("token") and super().lookup_allowed(lookup, value, request)


admin.site.unregister(OutstandingToken)
admin.site.register(OutstandingToken, RefreshTokenAdmin)

# An admin who could edit second factors could give an account theirs. Addresses are fields of the user.
for model in (*apps.get_app_config("account").get_models(), *apps.get_app_config("mfa").get_models()):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
