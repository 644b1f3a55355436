"""The commands of reprocessing, and the code that they share."""
