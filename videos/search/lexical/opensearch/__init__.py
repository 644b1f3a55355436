"""Lexical search with OpenSearch: it finds candidates, and PostgreSQL checks and ranks them (ADR 30). `backend` has the class."""
