"""The HTTP API of reprocessing, for admins and for owners."""
