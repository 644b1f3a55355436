"""The forms for accounts that Django's own forms do not cover as they are."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError

from heimdex.accounts.confirmation import check_confirmed
from heimdex.accounts.emails import EMAIL_TAKEN
from heimdex.accounts.models import User
from heimdex.errors import Forbidden

WRONG_LOGIN = "Enter the right e-mail address and password. Capital letters matter in the password only."
WRONG_STAFF_LOGIN = "Enter the right e-mail address and password of a staff account. Capital letters matter in the password only."
WRONG_PASSWORD = "Enter the password that you chose when you registered. If you did not register, do nothing: the account stays locked."

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


class ConfirmedLogin(auth_forms.AuthenticationForm):
    """Let only accounts with a confirmed address log in."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Raise ValidationError when the account is locked or its address is not confirmed."""
        assert isinstance(user, User)
        super().confirm_login_allowed(user)
        try:
            check_confirmed(user)
        except Forbidden as error:
            raise ValidationError(str(error), code="unconfirmed") from error


class LoginForm(ConfirmedLogin):
    """Log in on the login page."""

    error_messages = {**auth_forms.AuthenticationForm.error_messages, "invalid_login": WRONG_LOGIN}


class ConfirmForm(auth_forms.AuthenticationForm):
    """Enter the password of the registration on the page that confirms its address."""

    error_messages = {**auth_forms.AuthenticationForm.error_messages, "invalid_login": WRONG_PASSWORD}

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].initial = email
        self.fields["username"].disabled = True


class StaffLoginForm(AdminAuthenticationForm, ConfirmedLogin):
    """Log in on the admin's login page."""

    error_messages = {**AdminAuthenticationForm.error_messages, "invalid_login": WRONG_STAFF_LOGIN}
