"""URLs under /v1/auth/."""

from django.urls import path

from heimdex.accounts import api

urlpatterns = [
    path("register", api.RegisterView.as_view(), name="api-register"),
    path("login", api.LoginView.as_view(), name="api-login"),
    path("logout", api.LogoutView.as_view(), name="api-logout"),
    path("me", api.MeView.as_view(), name="api-me"),
    path("password/reset", api.PasswordResetView.as_view(), name="api-password-reset"),
    path("password/reset/confirm", api.PasswordResetConfirmView.as_view(), name="api-password-reset-confirm"),
    path("token", api.TokenView.as_view(), name="api-token"),
    path("token/refresh", api.TokenRefreshView.as_view(), name="api-token-refresh"),
    path("token/revoke", api.TokenRevokeView.as_view(), name="api-token-revoke"),
]
