"""Reconciliation: what should exist, compared with the rows, the files and the indexes that do."""
