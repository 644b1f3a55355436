"""Who uses an installation: the user model, log-in by page, session and token."""
