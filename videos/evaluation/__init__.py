"""Measure search with judged queries: which scenes each query should find, and how well the rankings agree."""
