"""The interface of a check: its issue types, and its findings with their repairs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True)
class IssueType:
    """A type of issue, with texts for the operator.

    `summary` follows a number ("3 files belong to no video"). `repair` describes what `--repair` does. It is empty when there is no
    repair. `manual_fix` describes what a person can do when the repair is not possible.
    """

    name: str
    summary: str
    repair: str
    manual_fix: str


@dataclass(frozen=True)
class Finding:
    """Issues of one type that are repaired together: their number, and an example.

    `repair` returns the number of repaired issues. It checks again before it changes anything, because rows may have changed since.
    """

    issue_type: IssueType
    count: int
    example: str
    repair: Callable[[], int] | None = None


class Check(ABC):
    """A check that finds issues of some types. Checks run by ascending `order`."""

    order: ClassVar[int]
    issue_types: ClassVar[tuple[IssueType, ...]]

    @abstractmethod
    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        """Yield the findings for one owner, or for all. Change nothing, and use constant memory."""
