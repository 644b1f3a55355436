"""The HTTP API of videos: parse, call an action, report."""
