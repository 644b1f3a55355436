"""The HTTP API of reprocessing, for admins."""
