"""`make bench`: compares the pipeline with its bare models and its database, as ratios of two things measured side by side."""
