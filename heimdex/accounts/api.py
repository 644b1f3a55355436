"""The endpoints under /v1/auth/: register, log in by session or token, log out."""

from typing import Any, cast

from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.serializers import TokenBlacklistSerializer

from heimdex.accounts.lockout import get_client_network
from heimdex.accounts.models import User
from heimdex.accounts.password_reset import check_emails, request_reset, reset_password
from heimdex.accounts.rate_limits import spend
from heimdex.accounts.second_step import log_in
from heimdex.accounts.serializers import (
    AccountSerializer,
    AccountWithUsageSerializer,
    CredentialsSerializer,
    NewPasswordSerializer,
    PasswordResetSerializer,
    RefusedLoginSerializer,
    RegisteredSerializer,
    RegisterSerializer,
    RotatingRefreshSerializer,
    TokenPairSerializer,
)
from heimdex.accounts.token_families import start_family

LOCKED = OpenApiResponse(description="Too many failed logins. `Retry-After` gives the seconds to wait.")

NO_EMAILS = OpenApiResponse(description="This server sends no e-mails. An administrator sets new passwords.")

NOT_OPEN = OpenApiResponse(description="Registration is closed, or by invitation only.")


class PublicView(APIView):
    """A view that needs no login. Each method has its own docstring, which the API's documentation shows.

    It needs no CSRF token: it accepts only JSON, and other sites cannot send JSON without a preflight request, which fails here.
    """

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def get_authenticate_header(self, request: Request) -> str:
        """Return a scheme, so that wrong credentials are answered with 401 instead of 403."""
        return 'Bearer realm="api"'


class RegisterView(PublicView):
    @extend_schema(request=RegisterSerializer, responses={201: RegisteredSerializer, 403: NOT_OPEN}, summary="Create an account")
    def post(self, request: Request) -> Response:
        """Create an account. It does not log in: get a token, or log in by session, afterwards.

        Where registration is by invitation, send the token of its link as `invitation`, and the address that was invited.
        """
        spend("registration", get_client_network(request._request))
        serializer = RegisterSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(RegisteredSerializer(serializer.save()).data, status=status.HTTP_201_CREATED)


class LoginView(PublicView):
    @extend_schema(
        request=CredentialsSerializer,
        responses={200: AccountSerializer, 401: RefusedLoginSerializer, 429: LOCKED},
        summary="Log in by session (cookies `sessionid`, `csrftoken`)",
    )
    def post(self, request: Request) -> Response:
        """Start a session, as browsers do. Every later request that changes something needs the header `X-CSRFToken`."""
        serializer = CredentialsSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        log_in(request._request, serializer.user)
        return Response(AccountSerializer(serializer.user).data)


class LogoutView(APIView):
    @extend_schema(request=None, responses={204: None}, summary="End the session")
    def post(self, request: Request) -> Response:
        """End the session of the cookies. Tokens stay valid: revoke the refresh token instead."""
        logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    @extend_schema(responses=AccountWithUsageSerializer, summary="Show the logged-in account")
    def get(self, request: Request) -> Response:
        """Show the account of the session or token that the request carries, and how much of its quota is used."""
        return Response(AccountWithUsageSerializer(cast(User, request.user)).data)


class PasswordResetView(PublicView):
    @extend_schema(request=PasswordResetSerializer, responses={202: None, 403: NO_EMAILS}, summary="Ask for a link for a new password")
    def post(self, request: Request) -> Response:
        """Send a link to the address, if an account has it. The answer is the same if none has."""
        check_emails()
        spend("password_reset_address", get_client_network(request._request))
        serializer = PasswordResetSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        request_reset(serializer.validated_data["email"])
        return Response(status=status.HTTP_202_ACCEPTED)


class PasswordResetConfirmView(PublicView):
    @extend_schema(request=NewPasswordSerializer, responses={204: None}, summary="Choose a new password with the token of a link")
    def post(self, request: Request) -> Response:
        """Set the password, and end all sessions and tokens. It does not log in. A link works once, within an hour."""
        serializer = NewPasswordSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        reset_password(**serializer.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokenView(PublicView):
    @extend_schema(
        request=CredentialsSerializer,
        responses={200: TokenPairSerializer, 401: RefusedLoginSerializer, 429: LOCKED},
        summary="Log in by token",
    )
    def post(self, request: Request) -> Response:
        """Return a pair of tokens. Send the access token as `Authorization: Bearer …`; it is valid for 15 minutes.

        Where two-factor authentication is on, send `code` too. Without it the answer is 401 with the code `two_factor_required`, after a
        wrong one `invalid_code`.
        """
        serializer = CredentialsSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        # As after a session login: resets the failure count and updates the login time.
        user_logged_in.send(sender=User, request=request._request, user=serializer.user)
        refresh = start_family(serializer.user)
        return Response({"access": str(refresh.access_token), "refresh": str(refresh)})


class TokenRefreshView(PublicView):
    @extend_schema(request=RotatingRefreshSerializer, responses=TokenPairSerializer, summary="Exchange a refresh token for a new pair")
    def post(self, request: Request) -> Response:
        """Return a new pair. A refresh token works once; a second use revokes all tokens that descend from the same login."""
        return Response(_validate(RotatingRefreshSerializer(data=request.data)))


class TokenRevokeView(PublicView):
    @extend_schema(request=TokenBlacklistSerializer, responses={204: None}, summary="Revoke a refresh token")
    def post(self, request: Request) -> Response:
        """Revoke a refresh token, as a logout does. Access tokens that it has given stay valid for at most 15 minutes."""
        _validate(TokenBlacklistSerializer(data=request.data))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _validate(serializer: Any) -> Any:
    try:
        serializer.is_valid(raise_exception=True)
    except TokenError as error:
        raise InvalidToken(str(error)) from error
    return serializer.validated_data
