"""The tasks of accounts."""

from heimdex.accounts.rate_limits import delete_unused


def delete_unused_rate_limits() -> int:
    """Delete the rows of rates that are not in use. Return the number."""
    return delete_unused()
