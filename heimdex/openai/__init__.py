"""Calls to servers that speak OpenAI's protocol: client, retries, circuit breaker and response handling."""
