"""The pages on which an owner manages people and their photos."""
