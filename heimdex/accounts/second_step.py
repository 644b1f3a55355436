"""The second step of a login: a code or a passkey after the password. Every login passes here, and only here.

Wrong codes count as failed logins, with the lockouts and rates of wrong passwords.
"""

import time
from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import login
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from heimdex.accounts.models import User
from heimdex.accounts.passkeys import verify_passkey
from heimdex.accounts.rate_limits import spend
from heimdex.accounts.two_factor import WRONG_CODE, has_two_factor, verify_code
from heimdex.errors import Refused

# How long a right password waits for its code, and a code allows changes of the second factors.
WAIT = timedelta(minutes=10)
FRESH = timedelta(minutes=15)

CODE_NEEDED = "Enter the code of your authenticator app, or a recovery code."
WRONG_PASSWORD = "Enter your current password."
WRONG_PASSKEY = "This passkey was not accepted. Reload the page, and try again, or enter a code."

_PENDING, _CHECKED_AT = "second_step.pending", "second_step.checked_at"
# The attribute of a request that has checked a second factor: whose it was.
_CHECKED = "second_factor_checked_for"
# Several backends are configured, so Django needs to know which one authenticated.
_BACKEND = "django.contrib.auth.backends.ModelBackend"


class WrongSecondFactor(Refused):
    """A code or a passkey is wrong."""


def start(request: HttpRequest, user: User) -> None:
    """Remember in the session that the password was right. This opens nothing yet."""
    request.session.cycle_key()
    request.session[_PENDING] = {"user": str(user.pk), "password": user.get_session_auth_hash(), "at": time.time()}


def find_pending(request: HttpRequest) -> User | None:
    """Return the user whose password was right and whose code is missing, if the account is still as it was then."""
    pending: dict[str, Any] = request.session.get(_PENDING) or {}
    if time.time() - pending.get("at", 0) > WAIT.total_seconds():
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True, is_email_confirmed=True).first()
    if user is None or user.get_session_auth_hash() != pending["password"] or not has_two_factor(user):
        return None
    return user


def check_second_factor(request: HttpRequest, user: User, *, code: str = "", passkey: str = "") -> None:
    """Check a code or the answer of a passkey. Raise WrongSecondFactor, and count a failed login, when it is wrong or locked out."""
    credentials = {"username": user.email}
    is_allowed = AxesProxyHandler.is_allowed(request, credentials)
    if not is_allowed or not (verify_passkey(user, passkey) if passkey else verify_code(user, code)):
        # The middleware of axes answers 429 when the account is locked out.
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)
        raise WrongSecondFactor(WRONG_PASSKEY if passkey else WRONG_CODE, "" if passkey else "code")
    setattr(request, _CHECKED, user.pk)


def log_in(request: HttpRequest, user: User) -> None:
    """Start a session, after the password and, where it is on, the second factor were checked in this request."""
    login(request, user, backend=_BACKEND)
    request.session.pop(_PENDING, None)
    if getattr(request, _CHECKED, None) == user.pk:
        remember_check(request)


def remember_check(request: HttpRequest) -> None:
    """Let the session change the second factors for a while."""
    request.session[_CHECKED_AT] = time.time()


def is_check_needed(request: HttpRequest, user: User) -> bool:
    """Return whether this session must check a second factor before it changes them."""
    is_fresh = time.time() - request.session.get(_CHECKED_AT, 0) <= FRESH.total_seconds()
    return not is_fresh and has_two_factor(user)


def check_proof(request: HttpRequest, user: User, password: str, code: str) -> None:
    """Check the password, and a code where two-factor authentication is on, before a change by the API. Raise Refused."""
    spend("two_factor", user.pk)
    if not user.check_password(password):
        raise Refused(WRONG_PASSWORD, "password")
    if has_two_factor(user):
        if not code:
            raise Refused(CODE_NEEDED, "code")
        check_second_factor(request, user, code=code)


def refuse_password_alone(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """Refuse a login, whichever way it came, whose second factor was not checked. Django sends the signal `user_logged_in`."""
    if has_two_factor(user) and getattr(request, _CHECKED, None) != user.pk:
        request.session.flush()
        raise PermissionDenied("The second factor of this login was not checked.")
