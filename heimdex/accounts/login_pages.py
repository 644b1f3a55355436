"""The pages of a login: the password, on this site and in the admin, and the code or passkey after it."""

from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from heimdex.accounts.forms import CodeForm, LoginForm, StaffLoginForm
from heimdex.accounts.models import User
from heimdex.accounts.passkeys import begin_verifying
from heimdex.accounts.second_step import WrongSecondFactor, check_second_factor, find_pending, log_in, remember_check, start
from heimdex.accounts.two_factor import has_two_factor

TOO_LATE = "Enter your e-mail address and password first. A code must follow within ten minutes."


class LoginPage(auth_views.LoginView):
    """Ask for the password. Where two-factor authentication is on, it leads to the page for the code."""

    authentication_form: type[auth_forms.AuthenticationForm] = LoginForm

    def form_valid(self, form: auth_forms.AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        assert isinstance(user, User)
        if has_two_factor(user):
            start(self.request, user)
            return redirect(build_second_step_url(self.get_success_url()))
        log_in(self.request, user)
        return HttpResponseRedirect(self.get_success_url())


class StaffLoginPage(LoginPage):
    """The admin's login page. It replaces that of Django, which would log in with the password alone."""

    authentication_form = StaffLoginForm
    template_name = "admin/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET" and admin.site.has_permission(request):
            return redirect("admin:index")
        return cast(HttpResponse, super().dispatch(request))

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = {"title": "Log in", "subtitle": None, "app_path": self.request.get_full_path(), "username": self.request.user.get_username()}
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs), **own}


def build_second_step_url(next_url: str) -> str:
    """Return the URL of the page for the code, which leads to `next_url`."""
    return f"{reverse('second-step')}?{urlencode({'next': next_url})}"


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SecondStepPage(auth_views.RedirectURLMixin, FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Ask for a code or a passkey: after the password of a login, and before a logged-in user changes their second factors."""

    form_class = CodeForm
    template_name = "registration/second_step.html"
    next_page = settings.LOGIN_REDIRECT_URL
    account: User
    is_login: bool

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pending = find_pending(request)
        self.is_login = pending is not None
        account = pending or request.user
        if not isinstance(account, User):
            messages.info(request, TOO_LATE)
            return redirect(f"{reverse('login')}?{urlencode({'next': self.get_success_url()})}")
        if not has_two_factor(account):
            return redirect(self.get_success_url())
        self.account = account
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "is_recovery": "recovery" in self.request.GET}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        action = "Log in" if self.is_login else "Continue"
        other = {"next": self.get_success_url()} | ({} if "recovery" in self.request.GET else {"recovery": "1"})
        return super().get_context_data(
            heading="Two-factor authentication",
            action=action,
            other_query=urlencode(other),
            is_recovery="recovery" in self.request.GET,
            passkey_options=begin_verifying(self.account),
            **kwargs,
        )

    def form_valid(self, form: CodeForm) -> HttpResponse:
        data = form.cleaned_data
        try:
            check_second_factor(self.request, self.account, code=data["code"], passkey=data["credential"])
        except WrongSecondFactor as error:
            form.add_error(error.field or None, str(error))
            return self.form_invalid(form)
        if self.is_login:
            log_in(self.request, self.account)
        else:
            remember_check(self.request)
        return HttpResponseRedirect(self.get_success_url())
