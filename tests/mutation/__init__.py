"""Mutation testing: `make mutate` changes the modules that hold rules and expects their tests to fail."""
