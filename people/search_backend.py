"""Search by people and list who is in a scene, from the stored matches in the owner's active spaces."""

from collections.abc import Collection, Sequence
from functools import reduce
from operator import and_
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast, Lower

from people.models import Person
from people.names import NameIndex
from people.queries import find_active_matches
from videos.models import Scene
from videos.search.people_backend import Appearance, NamedPerson


class FaceMatchSearch:
    """Implements `videos.search.people_backend.PeopleSearch` with face matches."""

    def load_names(self, owner_id: UUID) -> NameIndex:
        """Return the names of the owner's people, aliases included.

        Two people may share a name since before that was refused. Then a name wins over an alias, and the older person over the newer.
        """
        rows = list(_list_people(owner_id).order_by("created_at", "pk").values_list("pk", "name", "aliases"))
        names = [(name, person_id) for person_id, name, _ in rows]
        return NameIndex([*names, *((alias, person_id) for person_id, _, aliases in rows for alias in aliases)])

    def find_named(self, owner_id: UUID, names: Collection[str]) -> dict[str, NamedPerson]:
        """Return the people who have one of these names or aliases, in any capitalization."""
        lowered = {name.lower() for name in names}
        people = _list_people(owner_id).order_by("created_at", "pk")
        named = people.annotate(lower_name=Lower("name")).filter(lower_name__in=lowered).values_list("lower_name", "pk", "name")
        by_name = {lower_name: NamedPerson(person_id, name) for lower_name, person_id, name in named}
        # Few people have aliases, and a name in any capitalization cannot be looked up inside JSON.
        for person_id, name, aliases in people.exclude(aliases=[]).values_list("pk", "name", "aliases"):
            for alias in lowered & {alias.lower() for alias in aliases}:
                by_name.setdefault(alias, NamedPerson(person_id, name))
        return by_name

    def complete_names(self, owner_id: UUID, start: str, limit: int) -> list[NamedPerson]:
        """Return people with a name or alias of which a word starts like this, by name."""
        starts = Q(name__istartswith=start) | Q(name__icontains=f" {start}")
        people = _list_people(owner_id).annotate(alias_text=Cast("aliases", TextField()))
        starts |= Q(alias_text__icontains=f'"{start}')
        return [NamedPerson(*row) for row in people.filter(starts).order_by("name", "pk").values_list("pk", "name")[:limit]]

    def filter_known(self, owner_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
        """Return the ids that belong to people of the owner."""
        return set(_list_people(owner_id).filter(pk__in=person_ids).values_list("pk", flat=True))

    def match_scenes(self, owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> Q:
        """Return the condition that a scene shows any of the people, or `every` of them."""
        matches = find_active_matches(owner_id).filter(scene=OuterRef("pk"))
        if every:
            return reduce(and_, (Q(Exists(matches.filter(person=person_id))) for person_id in person_ids), Q())
        return Q(Exists(matches.filter(person__in=person_ids)))

    def filter_scenes(self, scenes: QuerySet[Scene], owner_id: UUID, person_ids: Sequence[UUID], *, every: bool) -> QuerySet[Any]:
        """Return the scenes with any (or `every`) of the people, annotated with `probability`: that of the most probable match."""
        requested = Q(face_matches__in=find_active_matches(owner_id), face_matches__person__in=person_ids)
        shown = scenes.filter(self.match_scenes(owner_id, person_ids, every=every))
        return shown.annotate(probability=Max("face_matches__probability", filter=requested))

    def count_scenes(self, owner_id: UUID, scenes: QuerySet[Scene], limit: int) -> list[NamedPerson]:
        """Return the people in the scenes, those in most scenes first."""
        matches = find_active_matches(owner_id).filter(scene__in=scenes).values("person", "person__name")
        counted = matches.annotate(scenes=Count("scene", distinct=True)).order_by("-scenes", "person__name", "person")
        return [NamedPerson(*row) for row in counted.values_list("person", "person__name", "scenes")[:limit]]

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
