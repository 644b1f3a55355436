"""The pages on which an owner keeps people and their photos."""
