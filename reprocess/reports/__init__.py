"""Queries and texts that API, pages, admin and commands share: the spec and its spaces, coverage, runs, plans, search index."""
