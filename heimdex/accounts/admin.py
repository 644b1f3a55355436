"""The admin pages of users. Apps that add to them extend `UserAdmin` and register the subclass."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms

from heimdex.accounts.forms import StaffLoginForm, UniqueEmailForm
from heimdex.accounts.models import User
from heimdex.accounts.quotas import describe_usage

admin.site.login_form = StaffLoginForm


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


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """Users, identified by e-mail address, with Django's password form."""

    form = AdminUserChangeForm
    add_form = AdminUserForm
    actions: list[Any] = []
    list_display = ["email", "name", "is_staff", "is_active", "date_joined", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active", "groups"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    readonly_fields = ["id", "usage", "date_joined", "last_login"]
    fieldsets = [
        (None, {"fields": ["id", "email", "name", "password"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Limits", {"fields": ["usage", "max_bytes", "max_minutes"]}),
        ("Dates", {"fields": ["date_joined", "last_login"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "name", "usable_password", "password1", "password2"]})]

    @admin.display(description="usage")
    def usage(self, user: User) -> str:
        """Return what the user's files use, beside the limits that apply."""
        return describe_usage(user)
