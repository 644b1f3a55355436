"""Django's PostgreSQL backend, which reads the password again when the server refuses it: a rotation needs no restart."""

import time
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base

from heimdex.database.connection_info import read_password
from heimdex.redaction import register_secret

# A rotation writes the file a moment before the server has the new password.
_RETRY_AFTER_S = (0.0, 0.2, 1.0)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the embedded server of this home."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, with the password that is valid now. Raise OperationalError when it is refused too."""
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
