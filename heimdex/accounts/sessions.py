"""The store of sessions, which Django loads by SESSION_ENGINE: Django's own in the database, with the user in a column."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

from heimdex.accounts.models import Session


# Django signs sessions with a salt that contains this name: another one would end all of them.
class SessionStore(DatabaseSessionStore):
    """Store each session with the user who is logged in."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the model of the rows."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row of a session that holds `data`."""
        session = super().create_model_instance(data)
        assert isinstance(session, Session)
        session.user_id = data.get(SESSION_KEY)
        return session
