"""What the embedded server says when it cannot run."""


class EmbeddedServerError(Exception):
    """The message is a sentence for the operator and names the fix."""
