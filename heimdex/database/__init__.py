"""The embedded PostgreSQL server, and the settings that connect Django to it or to another server."""


class EmbeddedServerError(Exception):
    """The embedded server cannot run; the message is a sentence for the operator and names the fix."""
