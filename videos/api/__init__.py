"""The HTTP API of videos: parse the request, call an action, and serialize the result."""
