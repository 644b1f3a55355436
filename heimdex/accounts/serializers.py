"""What the endpoints under /v1/auth/ take and give."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, transaction
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.settings import api_settings as jwt_settings
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from heimdex.accounts.emails import canonical_email
from heimdex.accounts.models import User

EMAIL_TAKEN = "An account with this e-mail address already exists."
WRONG_CREDENTIALS = "No active account has this e-mail address and password."
# Far above what a person types; it bounds the work of hashing.
MAX_PASSWORD = 1024


class AccountSerializer(serializers.ModelSerializer[User]):
    """An account, as its holder sees it."""

    class Meta:
        model = User
        fields = ["id", "email", "name", "is_staff", "date_joined"]
        read_only_fields = fields


class RegisteredSerializer(serializers.ModelSerializer[User]):
    """What a registration answers."""

    class Meta:
        model = User
        fields = ["id", "email", "name"]
        read_only_fields = fields


class RegisterSerializer(serializers.Serializer[User]):
    """A request for an account."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, style={"input_type": "password"})
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")

    def validate_email(self, value: str) -> str:
        if User.objects.filter(email=value).exists():
            raise serializers.ValidationError(EMAIL_TAKEN)
        return canonical_email(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            validate_password(attrs["password"], User(email=attrs["email"], name=attrs["name"]))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        try:
            with transaction.atomic():
                return User.objects.create_user(**validated_data)
        except IntegrityError as error:
            # Two registrations at once: both found the address free.
            raise serializers.ValidationError({"email": [EMAIL_TAKEN]}) from error


class CredentialsSerializer(serializers.Serializer[User]):
    """An e-mail address and a password that belong together; sets `user`."""

    # No e-mail check: what is no address is wrong like any other wrong address, and counts as a guess.
    email = serializers.CharField(max_length=254, write_only=True)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, style={"input_type": "password"})

    user: User

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # Django's own request, because the lock-out middleware never sees the wrapper of REST framework.
        user = authenticate(self.context["request"]._request, username=attrs["email"], password=attrs["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed(WRONG_CREDENTIALS)
        self.user = user
        return attrs


class TokenPairSerializer(serializers.Serializer[Any]):
    """The pair of tokens that a log-in or a refresh answers."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class RotatingRefreshSerializer(TokenRefreshSerializer):
    """A refresh token, usable once, and only while its user is active and keeps the password."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        token = RefreshToken(attrs["refresh"])
        with transaction.atomic():
            # The lock makes two uses of one token take turns, so that the second finds it on the blacklist.
            user = User.objects.select_for_update().filter(pk=token[jwt_settings.USER_ID_CLAIM], is_active=True).first()
            if user is None:
                raise AuthenticationFailed("This account does not exist any more or is not active.")
            if token.get(jwt_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
                raise AuthenticationFailed("The password has been changed. Log in again.")
            pair: dict[str, str] = super().validate(attrs)
        return pair
