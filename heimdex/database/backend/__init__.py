"""Django's backend for the embedded PostgreSQL server."""
