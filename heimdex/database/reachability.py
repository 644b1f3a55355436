"""Ask whether the database answers, without waiting for a server that hangs."""

from django.db import Error, connection


def is_database_reachable() -> bool:
    """Return whether the database answers, over a new connection if the old one is broken."""
    try:
        connection.ensure_connection()
        if not connection.is_usable():
            # A persistent connection whose server was restarted or hangs: a new one may work.
            connection.close()
            connection.ensure_connection()
    except Error:
        return False
    return True
