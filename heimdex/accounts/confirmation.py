"""Confirm the address of a new account by a link in an e-mail, where HEIMDEX_EMAIL_URL is set.

The link asks for the password of the registration. Otherwise a stranger could register another person's address, and that person, or a
program that checks links in e-mails, would confirm an account whose password the stranger knows.
"""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.db.models import QuerySet
from django.urls import reverse

from heimdex.accounts.mail import build_site_link, send
from heimdex.accounts.models import User
from heimdex.accounts.rate_limits import spend
from heimdex.errors import Forbidden, Refused

LIFETIME = timedelta(days=3)
# A part of the links that people have received: a change would invalidate them.
_SALT = "heimdex.accounts.confirmation"

UNCONFIRMED = "Confirm your e-mail address first: open the link in our e-mail. If you have none, register again to get a new one."
NOT_VALID = "This link has been used, has expired or is not valid. Log in, or register again to get a new one."
SUBJECT = "Confirm your e-mail address"
TEXT = """Somebody, probably you, has registered this address at {site}

Open this link within three days, and enter the password that you chose:

{link}

If you have not registered, ignore this e-mail. The account then stays locked.
"""


def find_unconfirmed(email: str) -> QuerySet[User]:
    """Return the new account of an address, if it is not confirmed. Another registration of the address takes it over."""
    return User.objects.filter(email=email, is_email_confirmed=False, last_login__isnull=True)


def is_taken(email: str) -> bool:
    """Return whether the address belongs to an account that a registration cannot take over."""
    return User.objects.filter(email=email).exclude(pk__in=find_unconfirmed(email)).exists()


def check_confirmed(user: User) -> None:
    """Raise Forbidden when the address of the account is not confirmed. Every login with a password calls it."""
    if not user.is_email_confirmed:
        raise Forbidden(UNCONFIRMED)


def send_confirmation(user: User) -> None:
    """Send the link. Raise Unavailable, and RateExceeded when the address has got too many."""
    spend("confirmation", user.email)
    link = build_site_link(f"{reverse('confirm')}?{urlencode({'token': signing.dumps(str(user.pk), salt=_SALT)})}")
    send(user.email, SUBJECT, TEXT.format(site=build_site_link("/"), link=link))


def find_user(token: str) -> User:
    """Return the account that a link confirms. Raise Refused when the link is not valid."""
    try:
        user_id = UUID(signing.loads(token, salt=_SALT, max_age=LIFETIME))
    except signing.BadSignature as error:
        raise Refused(NOT_VALID) from error
    user = User.objects.filter(pk=user_id, is_email_confirmed=False).first()
    if user is None:
        raise Refused(NOT_VALID)
    return user


def confirm(user: User) -> None:
    """Record that the address is its owner's."""
    User.objects.filter(pk=user.pk).update(is_email_confirmed=True)
