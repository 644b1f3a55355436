"""Transcripts and captions as files for players and other programs."""
