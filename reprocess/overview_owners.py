"""Coverage by owner: what each space holds of a page of owners, and what it is to them. A few statements a page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet

from heimdex.accounts.models import User
from reprocess.overview import Overview, SpaceView, purge_due
from reprocess.subjects import KINDS, PEOPLE, SCENES, kind_of
from videos.models import ActiveSpace, EmbeddingRow, RetiredSpace

STATES = EmbeddingRow.State


@dataclass(frozen=True)
class OwnerSpace:
    """One space as one owner has it: scenes (photos, people) by state of their row; `state` is active, coming, retired or left over."""

    channel: str
    fingerprint: str
    model: str
    state: str
    since: datetime | None
    purge_from: datetime | None
    embedded: int
    empty: int
    failed: int
    missing: int

    @property
    def percent(self) -> int:
        """The share of them that the space holds or knows to be empty; 100 only when it is all."""
        scenes = self.embedded + self.empty + self.failed + self.missing
        return 100 * (self.embedded + self.empty) // scenes if scenes else 100


@dataclass(frozen=True)
class OwnerView:
    """An owner's searchable scenes, and every space that concerns the owner."""

    id: str
    email: str
    scenes: int
    spaces: tuple[OwnerSpace, ...]

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it, moments still as moments."""
        return {**asdict(self), "spaces": [{**asdict(space), "percent": space.percent} for space in self.spaces]}


def owners_with_scenes() -> QuerySet[User]:
    """Return the owners who have something to search, or people, by address."""
    has_scenes = Exists(SCENES.searchable().filter(owner=OuterRef("pk")))
    has_people = Exists(PEOPLE.searchable().filter(owner=OuterRef("pk")))
    return User.objects.filter(has_scenes | has_people).order_by("email")


def owner_coverage(owners: Sequence[User], overview: Overview) -> list[OwnerView]:
    """Return the coverage of some owners in the spaces of an overview, in their order."""
    keys = [owner.pk for owner in owners]
    numbers: dict[str, dict[UUID, int]] = {}
    held: dict[tuple[UUID, str], dict[str, int]] = {}
    for kind in KINDS:
        subjects = kind.searchable().filter(owner__in=keys).order_by()
        numbers[kind.name] = dict(subjects.values_list("owner").annotate(subjects=Count("pk")))
        rows = kind.rows_of(owner__in=keys, **{f"{kind.name}__in": subjects}).order_by()
        for owner, space, state, count in rows.values_list("owner", "space", "state").annotate(rows=Count("pk")):
            held.setdefault((owner, str(space)), {})[state] = count
    active = _moments(ActiveSpace.objects.filter(owner__in=keys).values_list("owner", "space", "activated_at"))
    retired = _moments(RetiredSpace.objects.filter(owner__in=keys).values_list("owner", "space", "retired_at"))
    return [
        OwnerView(
            str(owner.pk),
            owner.email,
            numbers[SCENES.name].get(owner.pk, 0),
            tuple(
                _of_owner(space, (owner.pk, space.id), numbers[kind_of(space.channel).name].get(owner.pk, 0), held, active, retired)
                for space in overview.spaces
                if space.latest or (owner.pk, space.id) in held.keys() | active.keys() | retired.keys()
            ),
        )
        for owner in owners
    ]


Key = tuple[UUID, str]


def _moments(rows: QuerySet[Any, tuple[UUID, UUID, datetime]]) -> dict[Key, datetime]:
    return {(owner, str(space)): moment for owner, space, moment in rows}


def _of_owner(
    space: SpaceView,
    key: Key,
    subjects: int,
    held: Mapping[Key, Mapping[str, int]],
    active: Mapping[Key, datetime],
    retired: Mapping[Key, datetime],
) -> OwnerSpace:
    counts = held.get(key, {})
    state = "active" if key in active else "coming" if space.latest else "retired" if key in retired else "left over"
    return OwnerSpace(
        channel=space.channel,
        fingerprint=space.fingerprint,
        model=space.model,
        state=state,
        since=active.get(key) or retired.get(key),
        purge_from=purge_due(retired.get(key), latest=space.latest),
        embedded=counts.get(STATES.EMBEDDED, 0),
        empty=counts.get(STATES.EMPTY, 0),
        failed=counts.get(STATES.FAILED, 0),
        missing=max(0, subjects - sum(counts.values())),
    )
