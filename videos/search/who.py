"""Who is in which scene, as search and the pages ask it; the answers come from a package above this one, named in the settings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from videos.models import Scene


@dataclass(frozen=True)
class Appearance:
    """A person in a scene, and when (seconds): from the first picture that shows the face to the last; `probability` is 0 to 1."""

    person_id: UUID
    name: str
    probability: float
    first_s: float
    last_s: float


@dataclass(frozen=True)
class Asked:
    """What is left of a query when the names in it are taken out, whom they name, and a sentence for each that nobody has."""

    text: str
    person_ids: tuple[UUID, ...]
    notices: tuple[str, ...] = ()


class WhoIsThere(Protocol):
    """What knows people; every answer is about one owner's."""

    def read(self, owner_id: UUID, text: str) -> Asked:
        """Find the `@name`s in a query."""

    def known(self, owner_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
        """Return those of some ids that are people of the owner."""

    def with_people(self, scenes: QuerySet[Scene], owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> QuerySet[Any]:
        """Return the scenes with any of the people, or with every one, annotated with `probability`: of the surest match."""

    def in_scenes(self, owner_id: UUID, scene_ids: Collection[UUID]) -> dict[UUID, list[Appearance]]:
        """Return who is in some scenes, the surest first; in two statements."""


def who_is_there() -> WhoIsThere:
    """Return what knows people."""
    found: WhoIsThere = import_string(settings.WHO_IS_THERE)()
    return found
