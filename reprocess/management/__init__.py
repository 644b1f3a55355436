"""The commands of reprocessing, and what several of them share."""
