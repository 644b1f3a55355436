"""The tasks of accounts."""

from heimdex.accounts.password_reset import send_waiting
from heimdex.accounts.rate_limits import delete_unused


def delete_unused_rate_limits() -> int:
    """Delete the rows of rates that are not in use. Return the number."""
    return delete_unused()


def send_password_resets() -> int:
    """Send the links to choose a new password. Return how many requests are done."""
    return send_waiting()
