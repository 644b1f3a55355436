"""The texts of failures that nobody expected: operators see the error, owners only what they can do. Pure."""

import re

_INPUT = "This input could not be computed ({error}). Retry the failures; if it fails again, report the error."
_ITEM = "This item failed {attempts} times ({error}). Retry the failures of the run; if it fails again, report the error."
_DETAILS = re.compile(r"(This (?:input could not be computed|item failed \d+ times)) \(.*\)\. Retry .*", re.DOTALL)
_ADVICE = r"\1. Retry it; if it fails again, tell your administrator."


def describe_error(error: Exception) -> str:
    """Return an error's class and text."""
    return f"{type(error).__name__}: {error}"


def explain_input_failure(error: Exception) -> str:
    """Return the reason for which one input failed, for operators."""
    return _INPUT.format(error=describe_error(error))


def explain_item_failure(error: Exception, attempts: int) -> str:
    """Return the reason for which an item was given up, for operators."""
    return _ITEM.format(error=describe_error(error), attempts=attempts)


def omit_details(reason: str) -> str:
    """Return a reason for owners: without the error that nobody expected, which may name paths and addresses of the installation."""
    return _DETAILS.sub(_ADVICE, reason)
