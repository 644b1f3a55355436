"""Damage good files and ingest them with real workers: `make fuzz`, or `python -m tests.fuzz --seconds 600 --seed 7`."""
