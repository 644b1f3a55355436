"""Runs: compute stale vectors in batches under a lease, write them, count them, and end the run."""
