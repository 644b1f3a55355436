"""URLs under /v1/auth/."""

from django.urls import path

from heimdex.accounts import api, two_factor_api

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
    path("two-factor", two_factor_api.TwoFactorView.as_view(), name="api-two-factor"),
    path("two-factor/totp", two_factor_api.TotpView.as_view(), name="api-totp"),
    path("two-factor/totp/confirm", two_factor_api.TotpConfirmView.as_view(), name="api-totp-confirm"),
    path("two-factor/recovery-codes", two_factor_api.RecoveryCodesView.as_view(), name="api-recovery-codes"),
    path("two-factor/disable", two_factor_api.TwoFactorDisableView.as_view(), name="api-two-factor-disable"),
    path("two-factor/passkeys/<int:pk>/remove", two_factor_api.PasskeyRemoveView.as_view(), name="api-passkey-remove"),
]
