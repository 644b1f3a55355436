"""The HTTP API of people: parse the request, call an action, serialize the result."""
