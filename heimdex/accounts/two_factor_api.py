"""The endpoints under /v1/auth/two-factor: the second factors of the logged-in account."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.passkeys import remove_passkey
from heimdex.accounts.rate_limits import spend
from heimdex.accounts.second_step import check_proof
from heimdex.accounts.two_factor import Type, confirm_totp, get_status, renew_recovery_codes, start_totp, turn_off
from heimdex.accounts.two_factor_serializers import (
    ProofSerializer,
    RecoveryCodesSerializer,
    TotpConfirmSerializer,
    TotpSetupSerializer,
    TwoFactorStatusSerializer,
)


class TwoFactorView(APIView):
    @extend_schema(responses=TwoFactorStatusSerializer, summary="Show the second factors of the account")
    def get(self, request: Request) -> Response:
        """Show whether two-factor authentication is on, the authenticator app, the passkeys, and how many recovery codes are left."""
        return Response(TwoFactorStatusSerializer(get_status(get_owner(request))).data)


class TotpView(APIView):
    @extend_schema(request=ProofSerializer, responses=TotpSetupSerializer, summary="Start to set up an authenticator app")
    def post(self, request: Request) -> Response:
        """Return a new secret for an authenticator app. Nothing changes until a code of the app confirms it."""
        return Response(TotpSetupSerializer(start_totp(_check(request))).data)


class TotpConfirmView(APIView):
    @extend_schema(request=TotpConfirmSerializer, responses=RecoveryCodesSerializer, summary="Turn an authenticator app on")
    def post(self, request: Request) -> Response:
        """Turn the app on, in place of an earlier one, and end all other logins: log in again with a code.

        The answer contains the recovery codes, once. It contains none when the account has some from before.
        """
        user = get_owner(request)
        spend("two_factor", user.pk)
        data = _validate(TotpConfirmSerializer(data=request.data))
        codes = confirm_totp(user, data["setup"], data["code"], _get_session(request))
        return Response({"recovery_codes": codes})


class RecoveryCodesView(APIView):
    @extend_schema(request=ProofSerializer, responses=RecoveryCodesSerializer, summary="Replace the recovery codes")
    def post(self, request: Request) -> Response:
        """Replace the recovery codes, and end all other logins. The answer contains the new codes, once."""
        return Response({"recovery_codes": renew_recovery_codes(_check(request), _get_session(request))})


class TwoFactorDisableView(APIView):
    @extend_schema(request=ProofSerializer, responses={204: None}, summary="Turn two-factor authentication off")
    def post(self, request: Request) -> Response:
        """Remove the authenticator app, all passkeys and the recovery codes, and end all other logins."""
        turn_off(_check(request), _get_session(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasskeyRemoveView(APIView):
    @extend_schema(request=ProofSerializer, responses={204: None}, summary="Remove a passkey")
    def post(self, request: Request, pk: int) -> Response:
        """Remove a passkey, and end all other logins. With the last factor, two-factor authentication is off. Add passkeys on the pages."""
        passkey = get_object_or_404(Authenticator, pk=pk, user=get_owner(request), type=Type.WEBAUTHN)
        remove_passkey(_check(request), passkey, _get_session(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _check(request: Request) -> User:
    """Return the user, after the check of the password and code in the body."""
    user = get_owner(request)
    data = _validate(ProofSerializer(data=request.data))
    check_proof(request._request, user, data["password"], data["code"])
    return user


def _validate(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def _get_session(request: Request) -> str:
    """Return the session that the change keeps: that of the cookies, if there is one."""
    return request._request.session.session_key or ""
