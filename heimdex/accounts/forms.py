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
from heimdex.accounts.passkeys import MAX_NAME
from heimdex.accounts.second_step import CODE_NEEDED, WRONG_PASSWORD
from heimdex.errors import Forbidden

WRONG_LOGIN = "Enter the right e-mail address and password. Capital letters matter in the password only."
WRONG_STAFF_LOGIN = "Enter the right e-mail address and password of a staff account. Capital letters matter in the password only."
WRONG_REGISTRATION_PASSWORD = (
    "Enter the password that you chose when you registered. If you did not register, do nothing: the account stays locked."
)

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

    error_messages = {**auth_forms.AuthenticationForm.error_messages, "invalid_login": WRONG_REGISTRATION_PASSWORD}

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].initial = email
        self.fields["username"].disabled = True


class StaffLoginForm(AdminAuthenticationForm, ConfirmedLogin):
    """Log in on the admin's login page."""

    error_messages = {**AdminAuthenticationForm.error_messages, "invalid_login": WRONG_STAFF_LOGIN}


class CodeForm(forms.Form):
    """Enter a code, or answer with a passkey, which the page's script puts into the hidden field."""

    code = forms.CharField(
        max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True})
    )
    credential = forms.CharField(max_length=20_000, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, is_recovery: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        if is_recovery:
            code.label, code.help_text = "Recovery code", "One of the codes that you kept when you turned two-factor authentication on."
        else:
            code.label, code.help_text = "Code", "The six digits that your authenticator app shows now."
            code.widget.attrs["inputmode"] = "numeric"

    def clean(self) -> dict[str, Any]:
        """Raise ValidationError when there is neither a code nor a passkey."""
        data = super().clean() or {}
        if not data.get("code") and not data.get("credential"):
            self.add_error("code", CODE_NEEDED)
        return data


class PasswordForm(forms.Form):
    """Enter the password again before a change of the second factors."""

    password = forms.CharField(
        max_length=1024, strip=False, label="Your password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Raise ValidationError when the password is wrong."""
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise ValidationError(WRONG_PASSWORD)
        return password


class TotpForm(PasswordForm):
    """Confirm a new authenticator app with its first code."""

    setup = forms.CharField(max_length=2000, widget=forms.HiddenInput)
    code = forms.CharField(
        max_length=40,
        label="Code that the app shows now",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    field_order = ["setup", "code", "password"]


class NewPasskeyForm(PasswordForm):
    """Name a new passkey. The page's script puts the browser's answer into the hidden field."""

    name = forms.CharField(max_length=MAX_NAME, help_text="Such as “laptop” or “blue key”.")
    credential = forms.CharField(
        max_length=20_000,
        widget=forms.HiddenInput,
        error_messages={"required": "The browser has not made a passkey. Use a browser with scripts turned on, and a page with HTTPS."},
    )
    field_order = ["name", "password", "credential"]


class PasskeyNameForm(forms.Form):
    """Rename a passkey."""

    name = forms.CharField(max_length=MAX_NAME)
