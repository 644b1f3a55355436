"""Accounts: the user model, and login by page, session and token."""
