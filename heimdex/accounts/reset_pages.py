"""The pages on which somebody who has forgotten a password asks for a link, and chooses a new one."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import forms as auth_forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import FormView

from heimdex.accounts.lockout import get_client_network
from heimdex.accounts.models import User
from heimdex.accounts.password_reset import REQUESTED, check_emails, find_user, request_reset, reset_password
from heimdex.accounts.rate_limits import spend
from heimdex.errors import Refused

HEADING = "Choose a new password"


class ResetRequestForm(forms.Form):
    """Name the address of the account."""

    email = forms.EmailField(label="E-mail address", max_length=254, widget=forms.EmailInput({"autocomplete": "email"}))


class ResetPasswordPage(FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Ask for a link. The answer is the same whether or not an account has the address."""

    form_class = ResetRequestForm
    template_name = "registration/form.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            check_emails()
        except Refused as error:
            return _refuse(request, error)
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spend("password_reset_address", get_client_network(request))
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: ResetRequestForm) -> HttpResponse:
        request_reset(form.cleaned_data["email"])
        return render(self.request, "registration/reset_requested.html", {"message": REQUESTED})


class ChoosePasswordPage(FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Choose a new password with the link. It does not log in."""

    form_class = auth_forms.SetPasswordForm
    template_name = "registration/form.html"
    account: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.account = find_user(request.GET.get("token", ""))
        except Refused as error:
            return _refuse(request, error)
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.account}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            reset_password(self.request.GET["token"], form.cleaned_data["new_password1"])
        except Refused as error:
            # The link was used in another window meanwhile.
            return _refuse(self.request, error)
        messages.success(self.request, "Your password was changed, and all logins have ended. Log in with the new one.")
        return redirect("login")


def _refuse(request: HttpRequest, error: Refused) -> HttpResponse:
    return render(request, "error.html", {"heading": HEADING, "message": str(error)}, status=403)
