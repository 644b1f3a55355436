"""The pages of videos: library, video, transcript and search."""
