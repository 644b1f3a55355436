"""Reconciliation compares what should exist with the rows, files and indexes that do exist, and repairs what it can."""
