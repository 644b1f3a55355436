"""Limit logins from one address, right or wrong: each hashes a password, which takes a tenth of a second of all cores and 100 MB."""

from typing import Any

from django.http import HttpRequest

from heimdex.accounts.lockout import get_client_network
from heimdex.accounts.rate_limits import spend


class LoginRateBackend:
    """Counts a login and leaves it to the next backend. Every way to log in with a password asks the backends in their order."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Raise RateExceeded after too many logins."""
        if request is not None:
            spend("login", get_client_network(request))
