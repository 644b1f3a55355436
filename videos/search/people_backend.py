"""The interface through which search and the pages find people in scenes. A package above this one implements and registers it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from videos.models import Scene
from videos.search.query_language import NameLookup


@dataclass(frozen=True)
class Appearance:
    """A person in a scene: the times of the first and the last image with the face (seconds), and the probability (0 to 1)."""

    person_id: UUID
    name: str
    probability: float
    first_s: float
    last_s: float


@dataclass(frozen=True)
class NamedPerson:
    """A person, and the number of scenes that show the person, where it was counted."""

    person_id: UUID
    name: str
    scenes: int = 0


class PeopleSearch(Protocol):
    """Finds the people of one owner."""

    def load_names(self, owner_id: UUID) -> NameLookup:
        """Return the names of the owner's people, aliases included."""

    def find_named(self, owner_id: UUID, names: Collection[str]) -> dict[str, NamedPerson]:
        """Return the people who have one of these names, by the name in lower case."""

    def complete_names(self, owner_id: UUID, start: str, limit: int) -> list[NamedPerson]:
        """Return people with a name of which a word starts like this, by name."""

    def filter_known(self, owner_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
        """Return the ids that belong to people of the owner."""

    def match_scenes(self, owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> Q:
        """Return the condition that a scene shows any of the people, or `every` of them."""

    def filter_scenes(self, scenes: QuerySet[Scene], owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> QuerySet[Any]:
        """Return the scenes with any of the people, or with `every` of them, annotated with the `probability` of the best match."""

    def count_scenes(self, owner_id: UUID, scenes: QuerySet[Scene], limit: int) -> list[NamedPerson]:
        """Return the people in the scenes, those in most scenes first, with one query."""

    def list_appearances(self, owner_id: UUID, scene_ids: Collection[UUID]) -> dict[UUID, list[Appearance]]:
        """Return the people in each scene, the most probable first, with two queries."""
