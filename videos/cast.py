"""Who appears in a video, and when: its scenes' people, put together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from videos.search.who import Appearance


class Span(Protocol):
    """A scene, as far as this is concerned."""

    pk: UUID
    start_s: float
    end_s: float


@dataclass(frozen=True)
class CastMember:
    """A person who appears in a video: in how many scenes, and the stretches of scenes that follow each other (start and end, seconds)."""

    person_id: UUID
    name: str
    scenes: int
    ranges: tuple[tuple[float, float], ...]


def cast(scenes: Sequence[Span], people: Mapping[UUID, Sequence[Appearance]]) -> list[CastMember]:
    """Return who is in some scenes, given in order, those in most scenes first; `people` is by scene."""
    names: dict[UUID, str] = {}
    places: dict[UUID, list[int]] = {}
    for place, scene in enumerate(scenes):
        for appearance in people.get(scene.pk, ()):
            names[appearance.person_id] = appearance.name
            places.setdefault(appearance.person_id, []).append(place)
    members = [CastMember(person, names[person], len(where), _ranges(scenes, where)) for person, where in places.items()]
    return sorted(members, key=lambda member: (-member.scenes, member.name))


def _ranges(scenes: Sequence[Span], places: Sequence[int]) -> tuple[tuple[float, float], ...]:
    ranges: list[tuple[float, float]] = []
    for number, place in enumerate(places):
        scene = scenes[place]
        if number and places[number - 1] == place - 1:
            ranges[-1] = (ranges[-1][0], scene.end_s)
        else:
            ranges.append((scene.start_s, scene.end_s))
    return tuple(ranges)
