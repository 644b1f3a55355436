"""Search by people and list who is in a scene, from the stored matches in the owner's active spaces."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from people.models import Person
from people.names import parse_mentions
from people.queries import find_active_matches
from videos.models import Scene
from videos.search.people_backend import Appearance, ParsedQuery

UNKNOWN_NAME = "You have no person named “{name}”. It was searched as a word."


class FaceMatchSearch:
    """Implements `videos.search.people_backend.PeopleSearch` with face matches."""

    def parse_query(self, owner_id: UUID, text: str) -> ParsedQuery:
        """Parse the @-mentions of the owner's people, aliases included, in a query."""
        if "@" not in text:
            return ParsedQuery(text, ())
        people: dict[str, UUID] = {}
        # Two people may share a name since before that was refused. Then a name wins over an alias, and the older person over the newer.
        rows = list(_list_people(owner_id).order_by("created_at", "pk").values_list("pk", "name", "aliases"))
        for person_id, name, _ in rows:
            people.setdefault(name.lower(), person_id)
        for person_id, _, aliases in rows:
            for alias in aliases:
                people.setdefault(alias.lower(), person_id)
        parsed = parse_mentions(text, people)
        return ParsedQuery(parsed.text, parsed.person_ids, tuple(UNKNOWN_NAME.format(name=name) for name in parsed.unknown))

    def filter_known(self, owner_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
        """Return the ids that belong to people of the owner."""
        return set(_list_people(owner_id).filter(pk__in=person_ids).values_list("pk", flat=True))

    def filter_scenes(self, scenes: QuerySet[Scene], owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> QuerySet[Any]:
        """Return the scenes with any (or `every`) of the people, annotated with `probability`: that of the most probable match."""
        matches = find_active_matches(owner_id)
        condition = Q()
        for person_id in person_ids:
            appears = Q(Exists(matches.filter(scene=OuterRef("pk"), person=person_id)))
            condition = condition & appears if every else condition | appears
        requested = Q(face_matches__in=matches, face_matches__person__in=person_ids)
        return scenes.filter(condition).annotate(probability=Max("face_matches__probability", filter=requested))

    def list_appearances(self, owner_id: UUID, scene_ids: Collection[UUID]) -> dict[UUID, list[Appearance]]:
        """Return the people in each scene, the most probable first. Several faces of one person make one appearance."""
        by_scene: dict[UUID, dict[UUID, Appearance]] = {}
        rows = find_active_matches(owner_id).filter(scene__in=scene_ids).order_by("-probability", "person__name", "pk")
        fields = ("scene", "person", "person__name", "probability", "face__first_s", "face__last_s")
        for scene_id, person_id, name, probability, first_s, last_s in rows.values_list(*fields):
            appearance = Appearance(person_id, name, probability, first_s, last_s)
            appearances = by_scene.setdefault(scene_id, {})
            best = appearances.setdefault(person_id, appearance)
            appearances[person_id] = Appearance(
                best.person_id, best.name, best.probability, min(best.first_s, first_s), max(best.last_s, last_s)
            )
        return {scene_id: list(appearances.values()) for scene_id, appearances in by_scene.items()}


def _list_people(owner_id: UUID) -> QuerySet[Person]:
    return Person.objects.filter(owner_id=owner_id, archived_at__isnull=True)
