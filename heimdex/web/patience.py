"""How long the server waits for a client. Pure."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Patience:
    """`left_s` of at most `limit_s` seconds; each byte that moves earns 1 / `bytes_per_s`.

    A client may pause for `limit_s`, whatever it has transferred before. On average it must keep up the rate.
    """

    limit_s: float
    bytes_per_s: float
    left_s: float

    @classmethod
    def start(cls, limit_s: float, bytes_per_s: float) -> Self:
        """Return the patience with a client that has not done anything yet."""
        return cls(limit_s, bytes_per_s, limit_s)

    def spend(self, waited_s: float, size: int) -> Self:
        """Return what is left after a wait of `waited_s` seconds in which `size` bytes moved."""
        return replace(self, left_s=min(self.limit_s, self.left_s - waited_s + size / self.bytes_per_s))
