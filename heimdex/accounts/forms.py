"""The forms that create and change accounts."""

from django.contrib.auth import forms as auth_forms

from heimdex.accounts.models import User


class RegisterForm(auth_forms.BaseUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Register on the registration page."""

    class Meta:
        model = User
        fields = ["email", "name"]


class AdminUserForm(auth_forms.AdminUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Create an account in the admin."""

    class Meta:
        model = User
        fields = ["email", "name"]


class AdminUserChangeForm(auth_forms.UserChangeForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Change an account. The password has its own form, linked from here."""

    class Meta:
        model = User
        fields = "__all__"
