"""Say in one sentence what keeps a command from using the database."""

from typing import Any

from django.db import DatabaseError

# Classes of SQLSTATE: connection exceptions, refused log-ins, no such database, and servers that start or stop.
_UNREACHABLE = ("08", "28", "3D", "57P")
_NO_TABLE_OR_COLUMN = ("42P01", "42703")


def fix(error: DatabaseError, database: dict[str, Any]) -> str:
    """Return a sentence with the fix when `database` (as in DATABASES) cannot be reached or lacks our tables; else nothing."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    reason = " ".join(str(cause or error).split())
    if state in _NO_TABLE_OR_COLUMN:
        return f"The database is older than this code ({reason}): run `python manage.py migrate`. With --traceback you see what lacks it."
    if state is not None and not state.startswith(_UNREACHABLE):
        return ""
    return (
        f"The database at {database['HOST']}:{database['PORT']} cannot be reached ({reason}): start it (`python manage.py up` starts the "
        "embedded one), or correct HEIMDEX_DATABASE_URL. With --traceback you see where it was needed."
    )
