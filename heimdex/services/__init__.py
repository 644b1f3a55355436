"""Run all services of a one-machine installation under one supervisor."""


class ServiceError(Exception):
    """A service command failed; the message tells the operator what failed, and where the log is."""
