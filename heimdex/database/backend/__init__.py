"""Django's backend for PostgreSQL, embedded or not."""
