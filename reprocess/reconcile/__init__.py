"""Reconciliation: find missing and unwanted rows, files and indexes, and repair them where possible."""
