"""Who is in which scene, from the stored matches in the spaces that the owner's search reads."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from people.models import FaceMatch, Person
from people.names_in_queries import read_names
from videos.models import ActiveSpace, EmbeddingSpace, Scene
from videos.search.who import Appearance, Asked

UNKNOWN = "You have no person called “{name}”, so it was searched as a word."


class PeopleInScenes:
    """Answers for `videos.search.who`."""

    def read(self, owner_id: UUID, text: str) -> Asked:
        """Find the names of the owner's people, aliases included, that follow an @ in a query."""
        if "@" not in text:
            return Asked(text, ())
        people: dict[str, UUID] = {}
        for person_id, name, aliases in _people(owner_id).values_list("pk", "name", "aliases"):
            for alias in aliases:
                people.setdefault(alias.lower(), person_id)
            people[name.lower()] = person_id
        reading = read_names(text, people)
        return Asked(reading.text, reading.person_ids, tuple(UNKNOWN.format(name=name) for name in reading.unknown))

    def known(self, owner_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
        """Return those of some ids that are people of the owner."""
        return set(_people(owner_id).filter(pk__in=person_ids).values_list("pk", flat=True))

    def with_people(self, scenes: QuerySet[Scene], owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> QuerySet[Any]:
        """Return the scenes with any of the people, or with every one, annotated with `probability`: of the surest match."""
        matches = matches_of(owner_id)
        asked = Q()
        for person_id in person_ids:
            there = Q(Exists(matches.filter(scene=OuterRef("pk"), person=person_id)))
            asked = asked & there if every else asked | there
        surest = Q(face_matches__in=matches, face_matches__person__in=person_ids)
        return scenes.filter(asked).annotate(probability=Max("face_matches__probability", filter=surest))

    def in_scenes(self, owner_id: UUID, scene_ids: Collection[UUID]) -> dict[UUID, list[Appearance]]:
        """Return who is in some scenes, the surest first; a person whose face was found twice in a scene is there once."""
        found: dict[UUID, dict[UUID, Appearance]] = {}
        rows = matches_of(owner_id).filter(scene__in=scene_ids).order_by("-probability", "person__name", "pk")
        fields = ("scene", "person", "person__name", "probability", "face__first_s", "face__last_s")
        for scene_id, person_id, name, probability, first_s, last_s in rows.values_list(*fields):
            appearance = Appearance(person_id, name, probability, first_s, last_s)
            of_scene = found.setdefault(scene_id, {})
            earlier = of_scene.setdefault(appearance.person_id, appearance)
            of_scene[appearance.person_id] = Appearance(
                earlier.person_id,
                earlier.name,
                earlier.probability,
                min(earlier.first_s, appearance.first_s),
                max(earlier.last_s, appearance.last_s),
            )
        return {scene_id: list(of_scene.values()) for scene_id, of_scene in found.items()}


def matches_of(owner_id: UUID) -> QuerySet[FaceMatch]:
    """Return an owner's matches in the spaces that search reads: of faces and people of one generation."""
    read = ActiveSpace.objects.filter(owner_id=owner_id)
    return FaceMatch.objects.filter(
        owner_id=owner_id,
        space__in=read.filter(channel=EmbeddingSpace.Channel.PERSON_QUERY).values("space"),
        face__space__in=read.filter(channel=EmbeddingSpace.Channel.PERSON).values("space"),
        person__archived_at__isnull=True,
    )


def _people(owner_id: UUID) -> QuerySet[Person]:
    return Person.objects.filter(owner_id=owner_id, archived_at__isnull=True)
