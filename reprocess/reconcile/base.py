"""The parts of a check: the issue types it reports, the findings it yields, and the repair of each finding."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True)
class IssueType:
    """One kind of disagreement, with texts for the operator.

    `summary` follows a number ("3 files belong to no video"). `repair` says what `--repair` does; it is empty when there is no
    repair. `manual_fix` says what a person can do when the repair is not possible.
    """

    name: str
    summary: str
    repair: str
    manual_fix: str


@dataclass(frozen=True)
class Finding:
    """Things of one issue type that are repaired together: how many, and a phrase that names them.

    `repair` returns how many it repaired. It checks again before it changes anything, because rows may have changed since.
    """

    issue_type: IssueType
    count: int
    example: str
    repair: Callable[[], int] | None = None


class Check(ABC):
    """Finds disagreements of some issue types. Checks run by ascending `order`."""

    order: ClassVar[int]
    issue_types: ClassVar[tuple[IssueType, ...]]

    @abstractmethod
    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        """Yield the findings for one owner, or for all. Change nothing, and use memory that does not grow with the library."""
