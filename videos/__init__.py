"""Upload, ingest and search videos."""
