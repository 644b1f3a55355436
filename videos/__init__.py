"""Videos: upload, ingest, scenes, their vectors, and search over them."""
