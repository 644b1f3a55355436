"""Register an account: who may, and with which address."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from heimdex.accounts.confirmation import find_unconfirmed, send_confirmation
from heimdex.accounts.emails import EMAIL_TAKEN, canonicalize_email
from heimdex.accounts.invitations import find_invitation
from heimdex.accounts.mail import is_mail_configured
from heimdex.accounts.models import Invitation, User
from heimdex.errors import Forbidden, Refused

BY_INVITATION = "This server accepts registrations by invitation only. Ask an administrator for a link."
CLOSED = "This server accepts no registrations. Ask an administrator for an account."
OTHER_ADDRESS = "The invitation is for another address. Register with that address."


@dataclass(frozen=True)
class Registration:
    """The account that somebody wants. `token` is the one of an invitation, or empty."""

    email: str
    password: str = field(repr=False)
    name: str = ""
    token: str = field(default="", repr=False)


def check_permission(token: str, *, lock: bool = False) -> Invitation | None:
    """Return the invitation of a token, None without a token. Raise Forbidden when one is needed, and Refused when it cannot be used."""
    if settings.REGISTRATION == "closed":
        raise Forbidden(CLOSED)
    if token:
        return find_invitation(token, lock=lock)
    if settings.REGISTRATION == "invite":
        raise Forbidden(BY_INVITATION)
    return None


def register(wanted: Registration) -> User:
    """Create the account, and use up its invitation. Without one, the address must be confirmed, where e-mails can be sent.

    Raise Forbidden, Refused for an unusable invitation or a taken address, and Unavailable when the e-mail cannot be sent.
    """
    with transaction.atomic():
        invitation = check_permission(wanted.token, lock=True)
        if invitation:
            if invitation.email != canonicalize_email(wanted.email):
                raise Refused(OTHER_ADDRESS, "email")
            invitation.used_at = timezone.now()
            invitation.save(update_fields=["used_at"])
        try:
            with transaction.atomic():
                user = find_unconfirmed(wanted.email).select_for_update().first() or User(email=wanted.email)
                user.name = wanted.name
                # An administrator vouches for an invited address.
                user.is_email_confirmed = invitation is not None or not is_mail_configured()
                user.set_password(wanted.password)
                user.save()
        except IntegrityError as error:
            # Two registrations at the same time: both found the address free.
            raise Refused(EMAIL_TAKEN, "email") from error
        if not user.is_email_confirmed:
            send_confirmation(user)
    return user


def describe_registration(request: HttpRequest) -> dict[str, Any]:
    """Return who may register, and whether e-mails are sent, for the links of all pages."""
    return {"registration": settings.REGISTRATION, "sends_emails": is_mail_configured()}
