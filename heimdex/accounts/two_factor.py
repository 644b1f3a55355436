"""The second factors of an account: an authenticator app (TOTP), passkeys, and recovery codes, which come with the first of the others.

The secrets, codes and signatures are those of django-allauth's functions; its views and forms are not used (ADR 18). What a code opens
is decided in heimdex.accounts.second_step.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.access import end_logins
from heimdex.accounts.encryption import Unreadable, decrypt, encrypt
from heimdex.accounts.models import User
from heimdex.errors import Refused

log = structlog.get_logger(__name__)

SETUP_LIFETIME = timedelta(minutes=15)
# The last time step whose code was used, in the row of a TOTP app.
_LAST_STEP = "last_step"
Type = Authenticator.Type

WRONG_CODE = (
    "This code is not valid, or has been used. Enter the newest code of your authenticator app. If new codes are not accepted either, "
    "set the clock of your phone to automatic, or use a recovery code."
)
SETUP_EXPIRED = "This set-up has expired. Start again, and scan the new code."


@dataclass(frozen=True)
class TotpSetup:
    """A new secret for an authenticator app. `token` carries it, encrypted, until a code confirms it; nothing is stored before."""

    secret: str = field(repr=False)
    url: str = field(repr=False)
    token: str = field(repr=False)

    def draw(self) -> str:
        """Return the QR code as SVG."""
        return str(get_adapter().build_totp_svg(self.url))


@dataclass(frozen=True)
class TwoFactorStatus:
    """The second factors of an account."""

    totp: Authenticator | None
    passkeys: tuple[Authenticator, ...]
    recovery_codes_left: int

    @property
    def is_on(self) -> bool:
        """Whether a password alone opens nothing."""
        return self.totp is not None or bool(self.passkeys)


def has_two_factor(user: User) -> bool:
    """Return whether a password alone does not log in to the account."""
    return bool(Authenticator.objects.filter(user=user, type__in=[Type.TOTP, Type.WEBAUTHN]).exists())


def get_status(user: User) -> TwoFactorStatus:
    """Return the second factors of an account."""
    rows = list(Authenticator.objects.filter(user=user).order_by("pk"))
    by_type = {type: [row for row in rows if row.type == type] for type in Type}
    left = sum(_count_unused(row) for row in by_type[Type.RECOVERY_CODES])
    return TwoFactorStatus(next(iter(by_type[Type.TOTP]), None), tuple(by_type[Type.WEBAUTHN]), left)


def start_totp(user: User) -> TotpSetup:
    """Return a new secret for the user's authenticator app."""
    secret = generate_totp_secret()
    token = encrypt(json.dumps({"user": str(user.pk), "secret": secret}))
    return TotpSetup(secret, get_adapter().build_totp_url(user, secret), token)


def resume_totp(user: User, token: str) -> TotpSetup:
    """Return the set-up that a token carries. Raise Refused when it is not this user's, or too old."""
    try:
        data = json.loads(decrypt(token, SETUP_LIFETIME))
        secret = data["secret"] if data["user"] == str(user.pk) else None
    except (Unreadable, ValueError, KeyError, TypeError) as error:
        raise Refused(SETUP_EXPIRED, "setup") from error
    if secret is None:
        raise Refused(SETUP_EXPIRED, "setup")
    return TotpSetup(secret, get_adapter().build_totp_url(user, secret), token)


def confirm_totp(user: User, token: str, code: str, keep_session: str = "") -> list[str]:
    """Turn the authenticator app of a set-up on; it replaces an earlier one. Return new recovery codes, if there were none.

    The logins of the account end, but for `keep_session`. Raise Refused for a wrong code or an expired set-up.
    """
    secret = resume_totp(user, token).secret
    step = _find_step(secret, code)
    if step is None:
        raise Refused(WRONG_CODE, "code")
    with transaction.atomic():
        lock_factors(user)
        Authenticator.objects.filter(user=user, type=Type.TOTP).delete()
        app = TOTP.activate(user, secret).instance
        app.data[_LAST_STEP] = step
        app.save(update_fields=["data"])
        return finish_change(user, "An authenticator app was added", keep_session)


def finish_change(user: User, event: str, keep_session: str) -> list[str]:
    """Record a new factor, and end the logins that lacked it. Return new recovery codes, if there were none."""
    has_codes = Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).exists()
    codes: list[str] = [] if has_codes else RecoveryCodes.activate(user).generate_codes()
    log.info(event, user_id=str(user.pk))
    end_logins(user.pk, keep_session)
    return codes


def verify_code(user: User, code: str) -> bool:
    """Return whether a code of the app, or a recovery code, is right, and use it up. Each works once, whichever process it reaches."""
    try:
        return _use_totp(user, code) or _use_recovery_code(user, code)
    except Unreadable:
        log.error(
            "The second factor of a user was encrypted with another secret key; add that key to the fallbacks, or run "
            "`manage.py reset_two_factor EMAIL`",
            user_id=str(user.pk),
        )
        return False


def renew_recovery_codes(user: User, keep_session: str = "") -> list[str]:
    """Replace the recovery codes, and return the new ones. Raise Refused without a second factor."""
    with transaction.atomic():
        lock_factors(user)
        if not has_two_factor(user):
            raise Refused("Turn on two-factor authentication first.")
        Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).delete()
        return finish_change(user, "Recovery codes were renewed", keep_session)


def turn_off(user: User, keep_session: str = "") -> bool:
    """Remove all second factors and end the logins. Return whether there were any."""
    with transaction.atomic():
        lock_factors(user)
        removed: int = Authenticator.objects.filter(user=user).delete()[0]
        if removed:
            log.warning("Two-factor authentication was turned off", user_id=str(user.pk))
            end_logins(user.pk, keep_session)
    return removed > 0


def lock_factors(user: User) -> None:
    """Serialize changes of an account's second factors until the transaction ends."""
    list(User.objects.filter(pk=user.pk).select_for_update().values_list("pk"))


def _use_totp(user: User, code: str) -> bool:
    with transaction.atomic():
        app = Authenticator.objects.select_for_update().filter(user=user, type=Type.TOTP).first()
        step = _find_step(decrypt(app.data["secret"]), code, after=app.data.get(_LAST_STEP, 0)) if app else None
        if app is None or step is None:
            return False
        # Not allauth's marker of used codes: it lies in a cache, and each process has its own.
        app.data[_LAST_STEP] = step
        app.last_used_at = timezone.now()
        app.save(update_fields=["data", "last_used_at"])
    return True


def _find_step(secret: str, code: str, after: int = 0) -> int | None:
    """Return the time step of a code, if it is near now and later than `after`."""
    steps: Iterable[int] = yield_hotp_counters_from_time()
    return next((step for step in steps if step > after and _is_code(code, format_hotp_value(hotp_value(secret, step)))), None)


def _is_code(actual: str, expected: str) -> bool:
    return bool(compare_user_code(actual=actual, expected=expected))


def _use_recovery_code(user: User, code: str) -> bool:
    row = Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).first()
    if row is None or not has_two_factor(user) or not RecoveryCodes(row).validate_code(code):
        return False
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    log.warning("A recovery code was used", user_id=str(user.pk))
    return True


def _count_unused(row: Authenticator) -> int:
    try:
        return len(RecoveryCodes(row).get_unused_codes())
    except Unreadable:
        return 0
