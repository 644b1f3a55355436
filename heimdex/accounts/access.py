"""End the logins of a user: all sessions, and all refresh tokens."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from heimdex.accounts.models import User

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class EndedLogins:
    """How many sessions and refresh tokens were ended."""

    sessions: int
    refresh_tokens: int


def end_logins(user_id: UUID) -> EndedLogins:
    """End all sessions and revoke all refresh tokens of a user.

    Access tokens that they have given stay valid for at most 15 minutes, unless the account is locked.
    """
    with transaction.atomic():
        # An exchange of a refresh token waits for this lock, and then finds the token revoked.
        list(User.objects.filter(pk=user_id).select_for_update().values_list("pk"))
        unused = OutstandingToken.objects.filter(user_id=user_id, expires_at__gt=timezone.now(), blacklistedtoken__isnull=True)
        revoked = BlacklistedToken.objects.bulk_create((BlacklistedToken(token=token) for token in unused), ignore_conflicts=True)
        ended = Session.objects.filter(pk__in=_list_sessions(user_id)).delete()[0]
    log.info("Logins were ended", user_id=str(user_id), sessions=ended, refresh_tokens=len(revoked))
    return EndedLogins(ended, len(revoked))


def lock_account(user_id: UUID) -> EndedLogins:
    """Lock an account and end its logins, so that they do not come back when the account is unlocked. Its library stays."""
    with transaction.atomic():
        User.objects.filter(pk=user_id).update(is_active=False)
        return end_logins(user_id)


def _list_sessions(user_id: UUID) -> list[str]:
    # A session's row names no user: only its content does.
    sessions = Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=1000)
    return [session.session_key for session in sessions if session.get_decoded().get(SESSION_KEY) == str(user_id)]
