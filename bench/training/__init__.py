"""The training of the ranking model. Its modules need a configured Django, so they are no benchmarks of the folder above."""
