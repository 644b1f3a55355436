"""The people who appear in a video, and when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from videos.search.people_backend import Appearance


class TimeSpan(Protocol):
    """The attributes of a scene that are used here."""

    pk: UUID
    start_s: float
    end_s: float


@dataclass(frozen=True)
class VideoPerson:
    """A person in a video: the number of scenes, and the ranges of consecutive scenes (start and end, seconds)."""

    person_id: UUID
    name: str
    scenes: int
    ranges: tuple[tuple[float, float], ...]


def list_video_people(scenes: Sequence[TimeSpan], appearances: Mapping[UUID, Sequence[Appearance]]) -> list[VideoPerson]:
    """Return the people in some scenes, given in order; those in most scenes first. `appearances` maps scene ids to their people."""
    names: dict[UUID, str] = {}
    positions: dict[UUID, list[int]] = {}
    for position, scene in enumerate(scenes):
        for appearance in appearances.get(scene.pk, ()):
            names[appearance.person_id] = appearance.name
            positions.setdefault(appearance.person_id, []).append(position)
    people = [VideoPerson(person_id, names[person_id], len(where), _merge_ranges(scenes, where)) for person_id, where in positions.items()]
    return sorted(people, key=lambda person: (-person.scenes, person.name))


def _merge_ranges(scenes: Sequence[TimeSpan], positions: Sequence[int]) -> tuple[tuple[float, float], ...]:
    ranges: list[tuple[float, float]] = []
    for number, position in enumerate(positions):
        scene = scenes[position]
        if number and positions[number - 1] == position - 1:
            ranges[-1] = (ranges[-1][0], scene.end_s)
        else:
            ranges.append((scene.start_s, scene.end_s))
    return tuple(ranges)
