"""The pages that register an account and change its password."""

from typing import Any

from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import FormView

from heimdex.accounts.forms import UniqueEmailForm
from heimdex.accounts.lockout import get_client_network
from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import spend


class RegisterForm(UniqueEmailForm, auth_forms.BaseUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Register on the registration page."""

    class Meta:
        model = User
        fields = ["email", "name"]


class RegisterPage(FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Create an account and log the user in."""

    form_class = RegisterForm
    template_name = "registration/register.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spend("registration", get_client_network(request))
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: RegisterForm) -> HttpResponse:
        # Several backends are configured, so Django needs to know which one authenticated the new user.
        login(self.request, form.save(), backend="django.contrib.auth.backends.ModelBackend")
        return redirect(settings.LOGIN_REDIRECT_URL)


class ChangePasswordPage(auth_views.PasswordChangeView):
    """Change the password of the logged-in user, who may guess the old one only a few times."""

    template_name = "registration/change_password.html"
    success_url = settings.LOGIN_REDIRECT_URL

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spend("password_change", get_owner(request).pk)
        return super().post(request, *args, **kwargs)
