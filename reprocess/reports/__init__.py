"""Queries and texts that API, pages, admin and commands share: the spec and its spaces, coverage, runs, the search index of a video."""
