"""Cutover: switch an owner's search to new spaces once they cover all that the owner has."""

from reprocess.cutover.auto import activate_complete, activate_first

__all__ = ["activate_complete", "activate_first"]
