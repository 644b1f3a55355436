"""URLs of the pages under /accounts/."""

from django.contrib.auth import views
from django.urls import path

from heimdex.accounts.forms import LoginForm
from heimdex.accounts.pages import ChangePasswordPage, ConfirmPage, RegisterPage
from heimdex.accounts.reset_pages import HEADING, ChoosePasswordPage, ResetPasswordPage

urlpatterns = [
    path(
        "login/",
        views.LoginView.as_view(
            authentication_form=LoginForm, redirect_authenticated_user=True, extra_context={"heading": "Log in", "action": "Log in"}
        ),
        name="login",
    ),
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
]
