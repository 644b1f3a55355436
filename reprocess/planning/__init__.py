"""Planning: which subjects of a scope are stale in a spec, why, and what it takes to compute them."""
