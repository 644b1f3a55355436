"""End the logins of a user: all sessions, and all refresh tokens."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction

from heimdex.accounts.models import Session, User
from heimdex.accounts.token_families import list_unused, revoke

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class EndedLogins:
    """How many sessions and refresh tokens were ended."""

    sessions: int
    refresh_tokens: int


def end_logins(user_id: UUID, keep_session: str = "") -> EndedLogins:
    """End all sessions of a user but one, and revoke all refresh tokens.

    Access tokens that they have given stay valid for at most 15 minutes, unless the account is locked.
    """
    with transaction.atomic():
        # An exchange of a refresh token waits for this lock, and then finds the token revoked.
        list(User.objects.filter(pk=user_id).select_for_update().values_list("pk"))
        revoked = revoke(list_unused(user_id))
        ended = Session.objects.filter(user_id=user_id).exclude(pk=keep_session).delete()[0]
    log.info("Logins were ended", user_id=str(user_id), sessions=ended, refresh_tokens=revoked)
    return EndedLogins(ended, revoked)


def lock_account(user_id: UUID) -> EndedLogins:
    """Lock an account and end its logins, so that they do not come back when the account is unlocked. Its library stays."""
    with transaction.atomic():
        User.objects.filter(pk=user_id).update(is_active=False)
        return end_logins(user_id)
