"""Planning: which targets of a scope are stale, why, and what it takes to compute them."""
