"""Installations that were recorded at earlier commits, and today's code on them."""
