"""Choose a new password by a link in an e-mail, where HEIMDEX_EMAIL_URL is set.

A request stores the address alone, whether or not an account has it, so that neither the answer nor its time shows which addresses have
accounts. A process of the workers sends the e-mails. A reset does not log in, and changes nothing else that a login asks for.
"""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from heimdex.accounts.access import end_logins
from heimdex.accounts.emails import canonicalize_email
from heimdex.accounts.mail import build_site_link, is_mail_configured, send
from heimdex.accounts.models import PasswordReset, User
from heimdex.accounts.rate_limits import spend
from heimdex.errors import Forbidden, Refused, Unavailable

# After an hour the link would have expired too.
_GIVE_UP_AFTER = timedelta(hours=1)
_RETRY_AFTER = timedelta(minutes=1)
# The e-mails of one call, in which the workers' process does nothing else.
_BATCH = 10

NO_EMAILS = "This server sends no e-mails. Ask an administrator to set a new password."
REQUESTED = (
    "If an account has this address, we have sent a link to choose a new password. It works once, within an hour. "
    "No e-mail? Look into the spam folder, or check the address."
)
NOT_VALID = "This link has been used, has expired or is not valid. Ask for a new one."
SUBJECT = "Choose a new password"
TEXT = """Somebody, probably you, has asked for a new password at {site}

Open this link within an hour, and choose one:

{link}

If you have not asked for it, ignore this e-mail. Your password stays as it is.
"""


def check_emails() -> None:
    """Raise Forbidden when this installation sends no e-mails."""
    if not is_mail_configured():
        raise Forbidden(NO_EMAILS)


def request_reset(email: str) -> None:
    """Note that somebody wants a new password for this address. Raise RateExceeded when the address has been named too often."""
    address = canonicalize_email(email)
    spend("password_reset", address)
    PasswordReset.objects.bulk_create([PasswordReset(email=address)], ignore_conflicts=True)


def send_waiting() -> int:
    """Send the links of the next few requests, until the mail server fails. Return how many requests are done."""
    if not is_mail_configured():
        return 0
    PasswordReset.objects.filter(created_at__lt=timezone.now() - _GIVE_UP_AFTER).delete()
    done = 0
    while done < _BATCH and _answer_next():
        done += 1
    return done


def find_user(token: str, *, lock: bool = False) -> User:
    """Return the account of a link, locked until the transaction ends if wanted. Raise Refused when the link is not valid."""
    user_id, _, signature = token.partition(".")
    users = User.objects.select_for_update() if lock else User.objects.all()
    try:
        user = users.filter(pk=UUID(user_id), is_active=True, is_email_confirmed=True).first()
    except ValueError:
        user = None
    if user is None or not default_token_generator.check_token(user, signature):
        raise Refused(NOT_VALID, "token")
    return user


def reset_password(token: str, password: str) -> None:
    """Set the new password, which the caller has validated, and end all logins. Raise Refused when the link is not valid."""
    from axes.utils import reset

    with transaction.atomic():
        # The second use of a link waits for this lock, and then finds another password.
        user = find_user(token, lock=True)
        user.set_password(password)
        user.save(update_fields=["password"])
        end_logins(user.pk)
    # Who has guessed the forgotten password too often can log in with the new one.
    reset(username=user.email)


def _answer_next() -> bool:
    """Send the link of one request. Return False when none is due, or the mail server fails: the request is then repeated later."""
    with transaction.atomic():
        due = PasswordReset.objects.select_for_update(skip_locked=True).filter(due_at__lte=timezone.now())
        request = due.order_by("due_at").first()
        if request is None:
            return False
        try:
            _send_link(request.email)
        except Unavailable:
            # Others come first meanwhile: the server may reject this address only.
            request.due_at = timezone.now() + _RETRY_AFTER
            request.save(update_fields=["due_at"])
            return False
        request.delete()
    return True


def _send_link(email: str) -> None:
    user = User.objects.filter(email=email, is_active=True, is_email_confirmed=True).first()
    # An account whose password an administrator has removed gets none.
    if user is None or not user.has_usable_password():
        return
    token = f"{user.pk.hex}.{default_token_generator.make_token(user)}"
    link = build_site_link(f"{reverse('choose-password')}?{urlencode({'token': token})}")
    send(user.email, SUBJECT, TEXT.format(site=build_site_link("/"), link=link))
