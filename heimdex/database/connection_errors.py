"""Describe in one sentence why a command cannot use the database."""

from typing import Any

from django.db import DatabaseError

# SQLSTATE classes: connection exceptions, rejected logins, no such database, servers that start or stop.
_UNREACHABLE = ("08", "28", "3D", "57P")
_NO_TABLE_OR_COLUMN = ("42P01", "42703")


def describe_database_error(error: DatabaseError, database: dict[str, Any]) -> str:
    """Return the cause and the fix when `database` (as in DATABASES) cannot be reached or lacks our tables, else an empty string."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    reason = " ".join(str(cause or error).split())
    if state in _NO_TABLE_OR_COLUMN:
        return f"The database is older than this code ({reason}). Run `python manage.py migrate`. Add --traceback to see where it failed."
    if state is not None and not state.startswith(_UNREACHABLE):
        return ""
    return (
        f"The database at {database['HOST']}:{database['PORT']} cannot be reached ({reason}). Start it (`python manage.py up` starts the "
        "embedded one), or correct HEIMDEX_DATABASE_URL. Add --traceback to see where it failed."
    )
