"""The pages that register an account and change its password."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import FormView

from heimdex.accounts.confirmation import confirm, find_unconfirmed, find_user
from heimdex.accounts.forms import ConfirmForm, UniqueEmailForm
from heimdex.accounts.lockout import get_client_network
from heimdex.accounts.login_pages import LoginPage
from heimdex.accounts.models import Invitation, User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import spend
from heimdex.accounts.registration import Registration, check_permission, register
from heimdex.accounts.second_step import log_in
from heimdex.errors import Refused


class RegisterForm(UniqueEmailForm, auth_forms.BaseUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Register on the registration page. An invitation fixes the address."""

    class Meta:
        model = User
        fields = ["email", "name"]

    def __init__(self, *args: Any, invitation: Invitation | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if invitation:
            self.fields["email"].initial = invitation.email
            self.fields["email"].disabled = True

    def clean_email(self) -> str:
        """Return the address. The account of an earlier, unconfirmed registration is replaced."""
        self.instance = find_unconfirmed(self.cleaned_data["email"]).first() or self.instance
        return super().clean_email()


class RegisterPage(FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Create an account, and log the user in unless the address must be confirmed."""

    form_class = RegisterForm
    template_name = "registration/register.html"
    invitation: Invitation | None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.invitation = check_permission(request.GET.get("token", ""))
        except Refused as error:
            return render(request, "error.html", {"heading": "Register", "message": str(error)}, status=403)
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "invitation": self.invitation}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spend("registration", get_client_network(request))
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: RegisterForm) -> HttpResponse:
        data = form.cleaned_data
        wanted = Registration(data["email"], data["password1"], data["name"], self.request.GET.get("token", ""))
        try:
            user = register(wanted)
        except Refused as error:
            # Somebody else was faster, or the mail server does not answer.
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return self.form_invalid(form)
        if not user.is_email_confirmed:
            return render(self.request, "registration/confirmation_sent.html", {"email": user.email})
        log_in(self.request, user)
        return redirect(settings.LOGIN_REDIRECT_URL)


class ConfirmPage(LoginPage):
    """Confirm the address of a new account with its password, and log the user in."""

    authentication_form = ConfirmForm
    template_name = "registration/form.html"
    account: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.account = find_user(request.GET.get("token", ""))
        except Refused as error:
            return render(request, "error.html", {"heading": "Confirm your e-mail address", "message": str(error)}, status=403)
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "email": self.account.email}

    def form_valid(self, form: ConfirmForm) -> HttpResponse:  # type: ignore[override]  # the form that this page names
        confirm(self.account)
        return super().form_valid(form)


class ChangePasswordPage(auth_views.PasswordChangeView):
    """Change the password of the logged-in user, who may guess the old one only a few times."""

    template_name = "registration/change_password.html"
    success_url = settings.LOGIN_REDIRECT_URL

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spend("password_change", get_owner(request).pk)
        return super().post(request, *args, **kwargs)
