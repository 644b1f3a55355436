"""Refresh tokens that descend from one login. When one of them is used twice, all of them are revoked.

See RFC 9700 (OAuth 2.0 Security Best Current Practice), section 4.14.2.
"""

from collections.abc import Iterable
from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings as jwt_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken

from heimdex.accounts.models import User

log = structlog.get_logger(__name__)

_FAMILY = "family"


def start_family(user: User) -> RefreshToken:
    """Return the first refresh token of a login. Tokens that replace it keep its family."""
    token = RefreshToken.for_user(user)
    token[_FAMILY] = token[jwt_settings.JTI_CLAIM]
    OutstandingToken.objects.filter(jti=token[jwt_settings.JTI_CLAIM]).update(token=str(token))
    return token


def revoke_family_if_reused(token: str) -> None:
    """Revoke the family of a genuine token that was used or revoked before. Other tokens are ignored."""
    try:
        reused = UntypedToken(token)  # type: ignore[arg-type]
    except TokenError:
        return
    if not BlacklistedToken.objects.filter(token__jti=reused[jwt_settings.JTI_CLAIM]).exists():
        return
    user_id = reused[jwt_settings.USER_ID_CLAIM]
    log.warning("A refresh token was used twice; the tokens of that login are revoked", user_id=user_id)
    revoke(other for other in list_unused(user_id) if _read_family(other.token) == reused.get(_FAMILY))


def list_unused(user_id: UUID | str) -> QuerySet[OutstandingToken]:
    """Return the refresh tokens of a user that still work."""
    return OutstandingToken.objects.filter(user_id=user_id, expires_at__gt=timezone.now(), blacklistedtoken__isnull=True)


def revoke(tokens: Iterable[OutstandingToken]) -> int:
    """Revoke refresh tokens. Return the number."""
    return len(BlacklistedToken.objects.bulk_create((BlacklistedToken(token=token) for token in tokens), ignore_conflicts=True))


def _read_family(token: str) -> str | None:
    # Stored by this server, so that its signature needs no check.
    family: str | None = RefreshToken(token, verify=False).get(_FAMILY)  # type: ignore[arg-type]
    return family
