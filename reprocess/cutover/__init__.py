"""Cutover: an owner's search moves to new spaces when they hold all that the owner has."""

from reprocess.cutover.automatic import activate_complete, activate_first

__all__ = ["activate_complete", "activate_first"]
