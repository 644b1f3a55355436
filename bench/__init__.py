"""`make bench`: how near the pipeline comes to what its models and its database could do, as ratios of two things measured side by side."""
