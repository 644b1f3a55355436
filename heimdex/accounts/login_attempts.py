"""Count failed logins beyond django-axes' pairs: many accounts from one address, and one account from many addresses."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.http import HttpRequest

from heimdex.accounts.lockout import find_exceeded_rate, list_rates
from heimdex.accounts.rate_limits import RateExceeded, spend


class LoginAttemptHandler(AxesDatabaseHandler):  # type: ignore[misc]  # has no types
    """Lock logins out after failures of a pair, as django-axes does, and while a rate of failures is exceeded."""

    def is_locked(self, request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> bool:
        """Return whether this login is refused, whatever its password."""
        return super().is_locked(request, credentials) or find_exceeded_rate(request, credentials) is not None

    def user_login_failed(self, sender: object, credentials: Mapping[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
        """Count the failure."""
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is not None:
            for action, subject in list_rates(request, credentials):
                with suppress(RateExceeded):
                    spend(action, subject)
