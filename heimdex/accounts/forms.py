"""The forms that make and change accounts."""

from django.contrib.auth import forms as auth_forms

from heimdex.accounts.models import User


class RegisterForm(auth_forms.BaseUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Register by page."""

    class Meta:
        model = User
        fields = ["email", "name"]


class AdminUserForm(auth_forms.AdminUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Make an account on somebody's behalf."""

    class Meta:
        model = User
        fields = ["email", "name"]


class AdminUserChangeForm(auth_forms.UserChangeForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Change an account; its password has a form of its own, linked from here."""

    class Meta:
        model = User
        fields = "__all__"
