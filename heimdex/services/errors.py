"""What `up` and `down` say when they fail."""


class ServiceError(Exception):
    """The message is for the operator: what failed, the last lines of its log, and where the log is."""
