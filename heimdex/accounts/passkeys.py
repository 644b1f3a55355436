"""Passkeys (WebAuthn) as a second factor. The ceremonies and their challenges, which lie in the session, are django-allauth's."""

import json
import struct
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.two_factor import Type, finish_change, has_two_factor, lock_factors, turn_off
from heimdex.errors import Refused

MAX_NAME = 100
MAX_PASSKEYS = 20
NOT_ADDED = "The passkey could not be added. Reload the page, and add it again."
TOO_MANY = f"An account can have {MAX_PASSKEYS} passkeys. Remove one that you no longer use."
# What the parser of clients' answers raises for answers that no browser sends.
_INVALID = (ValidationError, ValueError, TypeError, KeyError, AttributeError, IndexError, NotImplementedError, struct.error)


def begin_adding(user: User) -> str:
    """Return the options of a new passkey as JSON, for the browser."""
    return json.dumps(auth.begin_registration(user, passwordless=False))


def add_passkey(user: User, name: str, credential: str, keep_session: str) -> list[str]:
    """Store the browser's answer to `begin_adding`. Return new recovery codes, if there were none. Raise Refused when it is not valid."""
    try:
        answer = json.loads(credential)
        auth.complete_registration(answer)
    except _INVALID as error:
        raise Refused(NOT_ADDED) from error
    with transaction.atomic():
        lock_factors(user)
        if Authenticator.objects.filter(user=user, type=Type.WEBAUTHN).count() >= MAX_PASSKEYS:
            raise Refused(TOO_MANY)
        auth.WebAuthn.add(user, name, answer)
        return finish_change(user, "A passkey was added", keep_session)


def begin_verifying(user: User) -> str:
    """Return what the browser needs to ask for a passkey, as JSON. Empty when the user has none."""
    if not Authenticator.objects.filter(user=user, type=Type.WEBAUTHN).exists():
        return ""
    return json.dumps(auth.begin_authentication(user))


def verify_passkey(user: User, credential: str) -> bool:
    """Return whether the browser's answer to `begin_verifying` was signed by one of the user's passkeys. An answer works once."""
    try:
        answer = json.loads(credential)
        auth.parse_authentication_response(answer)
        passkey: Any = auth.complete_authentication(user, answer)
    except _INVALID:
        return False
    Authenticator.objects.filter(pk=passkey.pk).update(last_used_at=timezone.now())
    return True


def rename_passkey(passkey: Authenticator, name: str) -> None:
    """Give a passkey another name."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=passkey.pk)
        row.data["name"] = name
        row.save(update_fields=["data"])


def remove_passkey(user: User, passkey: Authenticator, keep_session: str = "") -> None:
    """Remove a passkey, and end the other logins. With the last factor, two-factor authentication is off, and recovery codes go too."""
    with transaction.atomic():
        lock_factors(user)
        Authenticator.objects.filter(pk=passkey.pk, user=user).delete()
        if has_two_factor(user):
            finish_change(user, "A passkey was removed", keep_session)
        else:
            turn_off(user, keep_session)
