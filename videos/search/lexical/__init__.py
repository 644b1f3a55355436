"""Lexical search: find scenes by their words. `base` has the interface, `handler` builds the configured backends."""
