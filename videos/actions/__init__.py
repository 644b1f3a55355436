"""Use cases of videos, called by the API, the pages and the commands."""
