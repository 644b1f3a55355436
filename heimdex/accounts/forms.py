"""The forms for accounts that Django's own forms do not cover as they are."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import ValidationError

from heimdex.accounts.emails import EMAIL_TAKEN
from heimdex.accounts.models import User

WRONG_LOGIN = "Enter the right e-mail address and password. Capital letters matter in the password only."
WRONG_STAFF_LOGIN = "Enter the right e-mail address and password of a staff account. Capital letters matter in the password only."

if TYPE_CHECKING:
    UserForm = forms.ModelForm[User]
else:
    UserForm = forms.BaseModelForm


class UniqueEmailForm(UserForm):
    """Report a taken address at its field alone: the database constraint is not validated once the field has failed."""

    def clean_email(self) -> str:
        """Return the address. Raise ValidationError when another account has it in any capitalization."""
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(EMAIL_TAKEN, code="unique")
        return email


class LoginForm(auth_forms.AuthenticationForm):
    """Log in on the login page."""

    error_messages = {**auth_forms.AuthenticationForm.error_messages, "invalid_login": WRONG_LOGIN}


class StaffLoginForm(AdminAuthenticationForm):
    """Log in on the admin's login page."""

    error_messages = {**AdminAuthenticationForm.error_messages, "invalid_login": WRONG_STAFF_LOGIN}
