"""Outages: which errors are the surroundings' fault, what waits for their end, and the probes that find it; see ADR 21."""
