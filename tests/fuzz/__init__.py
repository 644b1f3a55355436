"""Good files with wrong bytes, put through a real ingest: `make fuzz`, or `python -m tests.fuzz --seconds 600 --seed 7`."""
