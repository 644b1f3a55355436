"""The pages that register an account and change its password."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import FormView

from heimdex.accounts.forms import UniqueEmailForm
from heimdex.accounts.lockout import get_client_network
from heimdex.accounts.models import Invitation, User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import spend
from heimdex.accounts.registration import Registration, check_permission, register
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


class RegisterPage(FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Create an account and log the user in."""

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
            # Somebody else was faster.
            form.add_error("email", str(error))
            return self.form_invalid(form)
        # Several backends are configured, so Django needs to know which one authenticated the new user.
        login(self.request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect(settings.LOGIN_REDIRECT_URL)


class ChangePasswordPage(auth_views.PasswordChangeView):
    """Change the password of the logged-in user, who may guess the old one only a few times."""

    template_name = "registration/change_password.html"
    success_url = settings.LOGIN_REDIRECT_URL

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spend("password_change", get_owner(request).pk)
        return super().post(request, *args, **kwargs)
