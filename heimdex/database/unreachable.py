"""Tell a database that cannot be reached from one that refuses a statement."""

from typing import Any

from django.db import OperationalError

# Classes of SQLSTATE: connection exceptions, refused log-ins, no such database, and servers that start or stop.
_STATES = ("08", "28", "3D", "57P")


def fix(error: OperationalError, database: dict[str, Any]) -> str:
    """Return a sentence that names the fix when the error means that `database` (as in DATABASES) cannot be reached, else nothing."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    if state is not None and not state.startswith(_STATES):
        return ""
    reason = " ".join(str(cause or error).split())
    place = f"{database['HOST']}:{database['PORT']}"
    return (
        f"The database at {place} cannot be reached ({reason}): start it (`python manage.py up` starts the embedded one), "
        "or correct HEIMDEX_DATABASE_URL. With --traceback you see where it was needed."
    )
