"""Serializers of the endpoints under /v1/auth/."""

from dataclasses import asdict
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.settings import api_settings as jwt_settings
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from heimdex.accounts.confirmation import check_confirmed, is_taken
from heimdex.accounts.emails import EMAIL_TAKEN, canonicalize_email
from heimdex.accounts.models import User
from heimdex.accounts.password_reset import find_user
from heimdex.accounts.quotas import get_quota, measure_usage
from heimdex.accounts.registration import Registration, check_permission, register
from heimdex.accounts.second_step import CODE_NEEDED, WrongSecondFactor, check_second_factor
from heimdex.accounts.token_families import revoke_family_if_reused
from heimdex.accounts.two_factor import has_two_factor
from heimdex.errors import Forbidden

WRONG_CREDENTIALS = "No active account has this e-mail address and password."
# Far longer than people type. It bounds the cost of hashing.
MAX_PASSWORD = 1024
MAX_CODE = 40
# What programs tell apart, besides the sentence in `detail`.
TWO_FACTOR_REQUIRED, INVALID_CODE = "two_factor_required", "invalid_code"


class AccountSerializer(serializers.ModelSerializer[User]):
    """An account, as its owner sees it."""

    class Meta:
        model = User
        fields = ["id", "email", "name", "is_staff", "date_joined"]
        read_only_fields = fields


class UsageSerializer(serializers.Serializer[Any]):
    """What an owner's files use, and the limits; null is no limit."""

    bytes = serializers.IntegerField(help_text="Of all uploaded files, those that are announced included.")
    max_bytes = serializers.IntegerField(allow_null=True)
    minutes = serializers.FloatField(help_text="Of all videos.")
    max_minutes = serializers.IntegerField(allow_null=True)
    open_uploads = serializers.IntegerField(help_text="Announced and not completed.")
    max_open_uploads = serializers.IntegerField()


class AccountWithUsageSerializer(AccountSerializer):
    """An account, with what its files use."""

    usage = serializers.SerializerMethodField()

    class Meta(AccountSerializer.Meta):
        fields = [*AccountSerializer.Meta.fields, "usage"]
        read_only_fields = fields

    @extend_schema_field(UsageSerializer)
    def get_usage(self, user: User) -> dict[str, Any]:
        usage, quota = measure_usage(user.pk), get_quota(user)
        return {**asdict(quota), "bytes": usage.bytes, "minutes": usage.minutes, "open_uploads": usage.open_uploads}


class RegisteredSerializer(serializers.ModelSerializer[User]):
    """The answer to a registration."""

    class Meta:
        model = User
        fields = ["id", "email", "name"]
        read_only_fields = fields


class RegisterSerializer(serializers.Serializer[User]):
    """The account to create."""

    # Validated first: a client without permission learns nothing about addresses.
    invitation = serializers.CharField(
        max_length=500, required=False, allow_blank=True, default="", write_only=True, help_text="The token in the link of an invitation."
    )
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, style={"input_type": "password"})
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")

    def validate_invitation(self, value: str) -> str:
        check_permission(value)
        return value

    def validate_email(self, value: str) -> str:
        if is_taken(value):
            raise serializers.ValidationError(EMAIL_TAKEN)
        return canonicalize_email(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            validate_password(attrs["password"], User(email=attrs["email"], name=attrs["name"]))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        return register(Registration(token=validated_data.pop("invitation"), **validated_data))


class RefusedLoginSerializer(serializers.Serializer[Any]):
    """Why a login is refused. `code` is there when the password was right, and the second factor was not."""

    detail = serializers.CharField()
    code = serializers.ChoiceField(choices=[TWO_FACTOR_REQUIRED, INVALID_CODE], required=False)


class CredentialsSerializer(serializers.Serializer[User]):
    """An e-mail address with its password, and a code where two-factor authentication is on. Validation sets `user`."""

    # Not checked as an e-mail address: an invalid one counts as a wrong guess, like any other.
    email = serializers.CharField(max_length=254, write_only=True)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, style={"input_type": "password"})
    code = serializers.CharField(
        max_length=MAX_CODE,
        required=False,
        allow_blank=True,
        default="",
        write_only=True,
        help_text="Of an authenticator app, or a recovery code.",
    )

    user: User

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # Django's own request, because the lockout middleware never sees REST framework's wrapper.
        user = authenticate(self.context["request"]._request, username=attrs["email"], password=attrs["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed(WRONG_CREDENTIALS)
        try:
            check_confirmed(user)
        except Forbidden as error:
            raise AuthenticationFailed(str(error)) from error
        if has_two_factor(user):
            self._check_code(user, attrs["code"])
        self.user = user
        return attrs

    def _check_code(self, user: User, code: str) -> None:
        if not code:
            raise AuthenticationFailed({"detail": CODE_NEEDED, "code": TWO_FACTOR_REQUIRED})
        try:
            check_second_factor(self.context["request"]._request, user, code=code)
        except WrongSecondFactor as error:
            raise AuthenticationFailed({"detail": str(error), "code": INVALID_CODE}) from error


class PasswordResetSerializer(serializers.Serializer[Any]):
    """The address of an account whose password is forgotten."""

    email = serializers.EmailField(max_length=254, write_only=True)


class NewPasswordSerializer(serializers.Serializer[Any]):
    """A new password, with the token in the link of the e-mail."""

    token = serializers.CharField(max_length=500, write_only=True)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, style={"input_type": "password"})

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            validate_password(attrs["password"], find_user(attrs["token"]))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return attrs


class TokenPairSerializer(serializers.Serializer[Any]):
    """The pair of tokens that a login or a refresh returns."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class RotatingRefreshSerializer(TokenRefreshSerializer):
    """A refresh token. It works once, and only while its user is active and has the same password.

    When it is used again, somebody has copied it. Then all tokens that descend from the same login are revoked.
    """

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        try:
            token = RefreshToken(attrs["refresh"])
        except TokenError:
            revoke_family_if_reused(attrs["refresh"])
            raise
        with transaction.atomic():
            # The lock serializes two uses of one token, so that the second finds it on the blacklist.
            user = User.objects.select_for_update().filter(pk=token[jwt_settings.USER_ID_CLAIM], is_active=True).first()
            if user is None:
                raise AuthenticationFailed("This account no longer exists or is not active.")
            if token.get(jwt_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
                raise AuthenticationFailed("The password was changed. Log in again.")
            pair: dict[str, str] = super().validate(attrs)
        return pair
