"""The registration page."""

from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import login
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.generic import FormView

from heimdex.accounts.forms import UniqueEmailForm
from heimdex.accounts.models import User


class RegisterForm(UniqueEmailForm, auth_forms.BaseUserCreationForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Register on the registration page."""

    class Meta:
        model = User
        fields = ["email", "name"]


class RegisterPage(FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Create an account and log the user in."""

    form_class = RegisterForm
    template_name = "registration/register.html"

    def form_valid(self, form: RegisterForm) -> HttpResponse:
        # Several backends are configured, so Django needs to know which one authenticated the new user.
        login(self.request, form.save(), backend="django.contrib.auth.backends.ModelBackend")
        return redirect(settings.LOGIN_REDIRECT_URL)
