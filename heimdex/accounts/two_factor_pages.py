"""The pages on which users turn their second factors on and off."""

from base64 import b64encode
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView

from heimdex.accounts.forms import NewPasskeyForm, PasskeyNameForm, PasswordForm, TotpForm
from heimdex.accounts.login_pages import build_second_step_url
from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.passkeys import add_passkey, begin_adding, remove_passkey, rename_passkey
from heimdex.accounts.rate_limits import spend
from heimdex.accounts.second_step import is_check_needed, remember_check
from heimdex.accounts.two_factor import (
    Type,
    confirm_totp,
    get_status,
    has_two_factor,
    renew_recovery_codes,
    resume_totp,
    start_totp,
    turn_off,
)
from heimdex.errors import Refused


class TwoFactorPage(LoginRequiredMixin, TemplateView):
    """Show the second factors of the account."""

    template_name = "registration/two_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(status=get_status(get_owner(self.request)), **kwargs)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SecondFactorFormPage(LoginRequiredMixin, FormView):  # type: ignore[type-arg]  # generic only in the stubs
    """Change a second factor: with the password and, where two-factor authentication is on, after a check of a second factor."""

    form_class: type[forms.Form] = PasswordForm
    template_name = "registration/form.html"
    account: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        self.account = get_owner(request)
        self.find_object(**kwargs)
        if is_check_needed(request, self.account):
            return redirect(build_second_step_url(request.path))
        if request.method == "POST":
            spend("two_factor", self.account.pk)
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def find_object(self, **kwargs: Any) -> None:
        """Find what the URL names. Raise Http404 when it is not the user's."""

    def get_form_kwargs(self) -> dict[str, Any]:
        own = {"user": self.account} if issubclass(self.form_class, PasswordForm) else {}
        return {**super().get_form_kwargs(), **own}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            codes = self.change(form.cleaned_data, self.request.session.session_key or "")
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return self.form_invalid(form)
        if codes:
            return render(self.request, "registration/recovery_codes.html", {"codes": codes})
        return redirect("two-factor")

    def change(self, data: dict[str, Any], session: str) -> list[str]:
        """Make the change, and keep one session. Return recovery codes to show. Raise Refused."""
        raise NotImplementedError


class TotpPage(SecondFactorFormPage):
    """Turn an authenticator app on."""

    form_class = TotpForm
    template_name = "registration/totp.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            # A form with an error keeps its secret, which the app has scanned.
            setup = resume_totp(self.account, self.request.POST.get("setup", ""))
        except Refused:
            setup = start_totp(self.account)
        context = super().get_context_data(heading="Set up an authenticator app", action="Turn on", **kwargs)
        form = context["form"]
        form.initial["setup"] = setup.token
        if form.is_bound:
            form.data = {**form.data.dict(), "setup": setup.token}
        qr_code = f"data:image/svg+xml;base64,{b64encode(setup.draw().encode()).decode()}"
        return {**context, "setup": setup, "qr_code": qr_code}

    def change(self, data: dict[str, Any], session: str) -> list[str]:
        codes = confirm_totp(self.account, data["setup"], data["code"], session)
        remember_check(self.request)
        messages.success(self.request, "The authenticator app is on. Your other logins were ended.")
        return codes


class RecoveryCodesPage(SecondFactorFormPage):
    """Replace the recovery codes."""

    extra_context = {"heading": "New recovery codes", "action": "Replace the codes"}

    def change(self, data: dict[str, Any], session: str) -> list[str]:
        return renew_recovery_codes(self.account, session)


class TurnOffPage(SecondFactorFormPage):
    """Turn two-factor authentication off."""

    extra_context = {"heading": "Turn off two-factor authentication", "action": "Turn off"}

    def change(self, data: dict[str, Any], session: str) -> list[str]:
        turn_off(self.account, session)
        messages.success(self.request, "Two-factor authentication is off: your password alone logs in. Your other logins were ended.")
        return []


class NewPasskeyPage(SecondFactorFormPage):
    """Add a passkey."""

    form_class = NewPasskeyForm
    template_name = "registration/new_passkey.html"
    extra_context = {"heading": "Add a passkey", "action": "Add the passkey"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(passkey_options=begin_adding(self.account), **kwargs)

    def change(self, data: dict[str, Any], session: str) -> list[str]:
        codes = add_passkey(self.account, data["name"], data["credential"], session)
        remember_check(self.request)
        messages.success(self.request, f"The passkey “{data['name']}” was added. Your other logins were ended.")
        return codes


class PasskeyPage(SecondFactorFormPage):
    """A change of one of the user's passkeys."""

    passkey: Authenticator

    def find_object(self, **kwargs: Any) -> None:
        self.passkey = get_object_or_404(Authenticator, pk=kwargs["passkey_id"], user=self.account, type=Type.WEBAUTHN)


class RenamePasskeyPage(PasskeyPage):
    """Rename a passkey."""

    form_class = PasskeyNameForm
    extra_context = {"heading": "Rename a passkey", "action": "Rename"}

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.passkey.wrap().name}

    def change(self, data: dict[str, Any], session: str) -> list[str]:
        rename_passkey(self.passkey, data["name"])
        return []


class RemovePasskeyPage(PasskeyPage):
    """Remove a passkey."""

    extra_context = {"action": "Remove"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(heading=f"Remove the passkey “{self.passkey.wrap().name}”", **kwargs)

    def change(self, data: dict[str, Any], session: str) -> list[str]:
        remove_passkey(self.account, self.passkey, session)
        is_on = has_two_factor(self.account)
        rest = "" if is_on else " It was the last, so that two-factor authentication is off: your password alone logs in."
        messages.success(self.request, f"The passkey was removed.{rest} Your other logins were ended.")
        return []
