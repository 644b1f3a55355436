"""What a check is: some kinds of disagreement, each with words for the operator, and how to find and mend them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True)
class Kind:
    """One way in which things may not add up: `says` stands after a number, `repair` says what `--repair` does (empty: nothing).

    `by_hand` is what a person can do where the repair cannot.
    """

    name: str
    says: str
    repair: str
    by_hand: str


@dataclass(frozen=True)
class Finding:
    """Things of one kind that are mended together, few enough to hold: how many, and a sentence that names them.

    `repair` mends them and returns how many it could. It looks again before it changes anything, because time has passed.
    """

    kind: Kind
    count: int
    example: str
    repair: Callable[[], int] | None = None


class Check(ABC):
    """Finds what does not add up, in one respect."""

    order: ClassVar[int]
    kinds: ClassVar[tuple[Kind, ...]]

    @abstractmethod
    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        """Yield what is found, of one owner or of all, without changing anything and in memory that does not grow with the library."""
