"""The interface through which search and the pages find people in scenes. A package above this one implements and registers it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.models import QuerySet

from videos.models import Scene


@dataclass(frozen=True)
class Appearance:
    """A person in a scene: the times of the first and the last image with the face (seconds), and the probability (0 to 1)."""

    person_id: UUID
    name: str
    probability: float
    first_s: float
    last_s: float


@dataclass(frozen=True)
class ParsedQuery:
    """A query in parts: its text without names, the people it names, and a notice for each unknown name."""

    text: str
    person_ids: tuple[UUID, ...]
    notices: tuple[str, ...] = ()


class PeopleSearch(Protocol):
    """Finds the people of one owner."""

    def parse_query(self, owner_id: UUID, text: str) -> ParsedQuery:
        """Find the `@name`s in a query."""

    def filter_known(self, owner_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
        """Return the ids that belong to people of the owner."""

    def filter_scenes(self, scenes: QuerySet[Scene], owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> QuerySet[Any]:
        """Return the scenes with any of the people, or with `every` of them, annotated with the `probability` of the best match."""

    def list_appearances(self, owner_id: UUID, scene_ids: Collection[UUID]) -> dict[UUID, list[Appearance]]:
        """Return the people in each scene, the most probable first, with two queries."""
