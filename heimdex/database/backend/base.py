"""Django's PostgreSQL backend. It stops waiting for a server that hangs, and follows a rotation of the embedded server's password."""

import time
from types import SimpleNamespace
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base

from heimdex.database.backend.limited_connection import LimitedConnection
from heimdex.database.connection_info import read_password
from heimdex.redaction import register_secret

# A rotation writes the file a moment before the server has the new password.
_RETRY_AFTER_S = (0.0, 0.2, 1.0)
# As long as a new connection may take.
_CHECK_TIMEOUT_S = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the database. `ANSWER_TIMEOUT_S` in its settings limits how long each answer of the server may take."""

    # Django calls `connect` and reads the classes of errors here.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": LimitedConnection.connect})  # type: ignore[assignment]  # no module

    def get_new_connection(self, conn_params: dict[str, Any]) -> LimitedConnection:
        """Connect, to the embedded server with the password that is valid now. Raise OperationalError when it is refused too."""
        connection: LimitedConnection = self._connect(conn_params)
        connection.answer_timeout_s = self.settings_dict.get("ANSWER_TIMEOUT_S")
        return connection

    def is_usable(self) -> bool:
        """Return whether the server answers within 5 seconds. Otherwise the connection is closed."""
        if self.connection is None:
            return False
        with self.connection.limit_answers(_CHECK_TIMEOUT_S):
            return bool(super().is_usable())

    def _connect(self, conn_params: dict[str, Any]) -> Any:
        if settings.ENVIRONMENT.database_url:
            return super().get_new_connection(conn_params)
        for delay_s in _RETRY_AFTER_S:
            try:
                return super().get_new_connection(conn_params)
            except psycopg.OperationalError as error:
                if "password authentication failed" not in str(error):
                    raise
            time.sleep(delay_s)
            if password := read_password(settings.HEIMDEX_HOME, conn_params["user"]):
                register_secret(password)
                # Also for the other threads.
                self.settings_dict["PASSWORD"] = conn_params["password"] = password
        return super().get_new_connection(conn_params)
