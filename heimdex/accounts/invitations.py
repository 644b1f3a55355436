"""Invitations to register: a signed link for one address, which works once and expires."""

from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from heimdex.accounts.confirmation import is_taken
from heimdex.accounts.emails import EMAIL_TAKEN
from heimdex.accounts.mail import build_site_link, is_mail_configured, send
from heimdex.accounts.models import Invitation, User
from heimdex.errors import Refused

LIFETIME = timedelta(days=7)
# A part of the links that people have received: a change would invalidate them.
_SALT = "heimdex.accounts.invitation"

NOT_VALID = "This invitation is not valid. Ask for a new one."
EXPIRED = "This invitation has expired. Ask for a new one."
USED = "This invitation has been used. Log in, or ask for a new one."
CLOSED = (
    "This server accepts no registrations, so an invitation would not work. Set HEIMDEX_REGISTRATION=invite first, or add the account in "
    "the admin."
)

SUBJECT = "You are invited to Heimdex"
TEXT = """You are invited to register at {site}

This link works once, within a week:

{link}
"""


def check_address(email: str) -> None:
    """Raise Refused when an invitation of this address could not be used."""
    if settings.REGISTRATION == "closed":
        raise Refused(CLOSED)
    if is_taken(email):
        raise Refused(EMAIL_TAKEN, "email")


def invite(email: str, invited_by: User | None = None) -> Invitation:
    """Create an invitation, which replaces an unused one of the same address, and send its link where e-mails can be sent.

    Raise Refused when it could not be used, and Unavailable when the e-mail cannot be sent.
    """
    check_address(email)
    now = timezone.now()
    with transaction.atomic():
        Invitation.objects.filter(email=email, used_at__isnull=True).delete()
        invitation = Invitation.objects.create(email=email, invited_by=invited_by, created_at=now, expires_at=now + LIFETIME)
        if is_mail_configured():
            send(invitation.email, SUBJECT, TEXT.format(site=build_site_link("/"), link=build_site_link(build_link(invitation))))
    return invitation


def sign_token(invitation: Invitation) -> str:
    """Return the token of the invitation's link. Whether it still works is a matter of the row."""
    return signing.dumps(str(invitation.pk), salt=_SALT)


def build_link(invitation: Invitation) -> str:
    """Return the link, as a path of this site."""
    return f"{reverse('register')}?{urlencode({'token': sign_token(invitation)})}"


def find_invitation(token: str, *, lock: bool = False) -> Invitation:
    """Return the invitation of a token, locked until the transaction ends if wanted. Raise Refused when it cannot be used."""
    try:
        invitation_id = UUID(signing.loads(token, salt=_SALT))
    except signing.BadSignature as error:
        raise Refused(NOT_VALID, "invitation") from error
    invitations = Invitation.objects.select_for_update() if lock else Invitation.objects.all()
    invitation = invitations.filter(pk=invitation_id).first()
    if invitation is None:
        raise Refused(NOT_VALID, "invitation")
    if problem := find_problem(invitation, timezone.now()):
        raise Refused(problem, "invitation")
    return invitation


def find_problem(invitation: Invitation, now: datetime) -> str | None:
    """Return why the invitation can no longer be used, as a sentence. Pure."""
    if invitation.used_at:
        return USED
    return EXPIRED if invitation.expires_at <= now else None
