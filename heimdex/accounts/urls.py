"""URLs of the pages under /accounts/."""

from django.contrib.auth import views
from django.urls import path

from heimdex.accounts import two_factor_pages
from heimdex.accounts.login_pages import LoginPage, SecondStepPage
from heimdex.accounts.pages import ChangePasswordPage, ConfirmPage, RegisterPage
from heimdex.accounts.reset_pages import HEADING, ChoosePasswordPage, ResetPasswordPage

urlpatterns = [
    path(
        "login/",
        LoginPage.as_view(redirect_authenticated_user=True, extra_context={"heading": "Log in", "action": "Log in"}),
        name="login",
    ),
    path("second-step/", SecondStepPage.as_view(), name="second-step"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("register/", RegisterPage.as_view(extra_context={"heading": "Register", "action": "Register"}), name="register"),
    path(
        "confirm/",
        ConfirmPage.as_view(extra_context={"heading": "Confirm your e-mail address", "action": "Confirm and log in"}),
        name="confirm",
    ),
    path(
        "password/",
        ChangePasswordPage.as_view(extra_context={"heading": "Change password", "action": "Change password"}),
        name="change-password",
    ),
    path("password/reset/", ResetPasswordPage.as_view(extra_context={"heading": HEADING, "action": "Send a link"}), name="reset-password"),
    path(
        "password/reset/confirm/",
        ChoosePasswordPage.as_view(extra_context={"heading": HEADING, "action": "Change password"}),
        name="choose-password",
    ),
    path("two-factor/", two_factor_pages.TwoFactorPage.as_view(), name="two-factor"),
    path("two-factor/app/", two_factor_pages.TotpPage.as_view(), name="totp"),
    path("two-factor/recovery-codes/", two_factor_pages.RecoveryCodesPage.as_view(), name="recovery-codes"),
    path("two-factor/off/", two_factor_pages.TurnOffPage.as_view(), name="two-factor-off"),
    path("two-factor/passkeys/add/", two_factor_pages.NewPasskeyPage.as_view(), name="new-passkey"),
    path("two-factor/passkeys/<int:passkey_id>/rename/", two_factor_pages.RenamePasskeyPage.as_view(), name="rename-passkey"),
    path("two-factor/passkeys/<int:passkey_id>/remove/", two_factor_pages.RemovePasskeyPage.as_view(), name="remove-passkey"),
]
