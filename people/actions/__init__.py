"""What an owner can do with people, photos and faces, grouped by noun."""
