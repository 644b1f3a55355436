"""What an owner may do with people and their photos: one use case a file."""
