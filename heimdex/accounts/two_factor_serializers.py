"""Serializers of the endpoints under /v1/auth/two-factor."""

from typing import Any

from allauth.mfa.models import Authenticator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from heimdex.accounts.serializers import MAX_CODE, MAX_PASSWORD


class AuthenticatorSerializer(serializers.Serializer[Authenticator]):
    """When a factor was added and last used."""

    created_at = serializers.DateTimeField(read_only=True)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)


class PasskeySerializer(AuthenticatorSerializer):
    """A passkey."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.SerializerMethodField()

    @extend_schema_field(str)
    def get_name(self, passkey: Authenticator) -> Any:
        return passkey.data["name"]


class TwoFactorStatusSerializer(serializers.Serializer[Any]):
    """The second factors of an account."""

    is_on = serializers.BooleanField(help_text="Whether a password alone logs in nowhere.")
    totp = AuthenticatorSerializer(allow_null=True, help_text="The authenticator app.")
    passkeys = PasskeySerializer(many=True)
    recovery_codes_left = serializers.IntegerField()


class ProofSerializer(serializers.Serializer[Any]):
    """The password and, where two-factor authentication is on, a code."""

    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, style={"input_type": "password"})
    code = serializers.CharField(
        max_length=MAX_CODE, required=False, allow_blank=True, default="", write_only=True, help_text="Of the app, or a recovery code."
    )


class TotpSetupSerializer(serializers.Serializer[Any]):
    """A new secret for an authenticator app."""

    secret = serializers.CharField(read_only=True)
    url = serializers.CharField(read_only=True, help_text="What a QR code for the app contains (`otpauth://…`).")
    setup = serializers.CharField(source="token", read_only=True, help_text="Send it back with the app's first code, within 15 minutes.")


class TotpConfirmSerializer(serializers.Serializer[Any]):
    """The set-up, and the first code of the app."""

    setup = serializers.CharField(max_length=2000, write_only=True)
    code = serializers.CharField(max_length=MAX_CODE, write_only=True)


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """New recovery codes, each of which works once in place of a code. No other answer contains them."""

    recovery_codes = serializers.ListField(child=serializers.CharField())
