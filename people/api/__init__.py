"""The HTTP API of people: parse, call an action, report."""
