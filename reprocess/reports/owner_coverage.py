"""Coverage by owner: the rows of each owner in each space. The number of SQL statements does not depend on the number of owners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet

from heimdex.accounts.models import User
from reprocess.planning.search_index import SEARCH_INDEX
from reprocess.planning.targets import PEOPLE, SCENES, TARGET_TYPES, get_target_type
from reprocess.reports.spec_overview import SpaceSummary, SpecOverview, compute_purge_time
from videos.models import ActiveSpace, EmbeddingRow, RetiredSpace, SceneWords, SearchChange
from videos.search.lexical.scene_documents import count_documents_by_owner
from videos.search.lexical.search_index import read_index_view

# `manage.py spec --json` prints these codes. Tables show the labels instead.
SpaceState = Literal["active", "coming", "retired", "left over"]
_LABELS = {"coming": "pending", "left over": "orphaned"}
_Key = tuple[UUID, str]


@dataclass(frozen=True)
class OwnerSpaceCoverage:
    """One owner's targets (scenes, photos or people) in one space, counted by the state of their row."""

    channel: str
    fingerprint: str
    model: str
    state: SpaceState
    since: datetime | None
    purge_from: datetime | None
    embedded: int
    empty: int
    failed: int
    missing: int

    @property
    def percent(self) -> int:
        """The share of targets that are embedded or empty, in percent, rounded down. 100 without targets."""
        targets = self.embedded + self.empty + self.failed + self.missing
        return 100 * (self.embedded + self.empty) // targets if targets else 100

    @property
    def state_label(self) -> str:
        """The state as tables show it."""
        return _LABELS.get(self.state, self.state)


@dataclass(frozen=True)
class OwnerCoverage:
    """An owner's number of searchable scenes, and the owner's coverage of the latest spaces and of all other spaces in use."""

    id: str
    email: str
    scenes: int
    spaces: tuple[OwnerSpaceCoverage, ...]


@dataclass(frozen=True)
class _OwnerRows:
    """The data of some owners: targets per type, rows per space and state, and when spaces were activated or retired."""

    targets: Mapping[str, Mapping[UUID, int]]
    rows: Mapping[_Key, Mapping[str, int]]
    activated: Mapping[_Key, datetime]
    retired: Mapping[_Key, datetime]

    def is_used(self, key: _Key) -> bool:
        """Return whether the owner has rows in the space, or search read the space."""
        return key in self.rows or key in self.activated or key in self.retired


def select_owners_with_targets() -> QuerySet[User]:
    """Return the owners with searchable scenes or people, ordered by e-mail address."""
    has_scenes = Exists(SCENES.select_searchable().filter(owner=OuterRef("pk")))
    has_people = Exists(PEOPLE.select_searchable().filter(owner=OuterRef("pk")))
    return User.objects.filter(has_scenes | has_people).order_by("email")


def measure_owner_coverage(owners: Sequence[User], overview: SpecOverview) -> list[OwnerCoverage]:
    """Measure the coverage of owners in the spaces of an overview, in the order of `owners`."""
    owner_ids = [owner.pk for owner in owners]
    owner_rows = _read_rows(owner_ids)
    documents = _measure_documents(owner_ids)
    return [
        OwnerCoverage(
            str(owner.pk),
            owner.email,
            owner_rows.targets[SCENES.name].get(owner.pk, 0),
            (
                *(
                    _measure_space(space, owner.pk, owner_rows)
                    for space in overview.spaces
                    if space.latest or owner_rows.is_used((owner.pk, space.id))
                ),
                *([documents[owner.pk]] if owner.pk in documents else ()),
            ),
        )
        for owner in owners
    ]


def _read_rows(owner_ids: Sequence[UUID]) -> _OwnerRows:
    targets: dict[str, dict[UUID, int]] = {}
    rows: dict[_Key, dict[str, int]] = {}
    for target_type in TARGET_TYPES:
        searchable = target_type.select_searchable().filter(owner__in=owner_ids).order_by()
        targets[target_type.name] = dict(searchable.values_list("owner").annotate(targets=Count("pk")))
        counted = target_type.filter_embeddings(owner__in=owner_ids, **{f"{target_type.name}__in": searchable}).order_by()
        for owner_id, space_id, state, count in counted.values_list("owner", "space", "state").annotate(rows=Count("pk")):
            rows.setdefault((owner_id, str(space_id)), {})[state] = count
    activated = _read_times(ActiveSpace.objects.filter(owner__in=owner_ids).values_list("owner", "space", "activated_at"))
    retired = _read_times(RetiredSpace.objects.filter(owner__in=owner_ids).values_list("owner", "space", "retired_at"))
    return _OwnerRows(targets, rows, activated, retired)


def _read_times(rows: QuerySet[Any, tuple[UUID, UUID, datetime]]) -> dict[_Key, datetime]:
    return {(owner_id, str(space_id)): time for owner_id, space_id, time in rows}


def _measure_space(space: SpaceSummary, owner_id: UUID, owner_rows: _OwnerRows) -> OwnerSpaceCoverage:
    key = (owner_id, space.id)
    counts = owner_rows.rows.get(key, {})
    retired_at = owner_rows.retired.get(key)
    targets = owner_rows.targets[get_target_type(space.channel).name].get(owner_id, 0)
    return OwnerSpaceCoverage(
        channel=space.channel,
        fingerprint=space.fingerprint,
        model=space.model,
        state=_determine_state(space, key, owner_rows),
        since=owner_rows.activated.get(key) or retired_at,
        purge_from=compute_purge_time(retired_at, latest=space.latest),
        embedded=counts.get(EmbeddingRow.State.EMBEDDED, 0),
        empty=counts.get(EmbeddingRow.State.EMPTY, 0),
        failed=counts.get(EmbeddingRow.State.FAILED, 0),
        missing=max(0, targets - sum(counts.values())),
    )


def _measure_documents(owner_ids: Sequence[UUID]) -> dict[UUID, OwnerSpaceCoverage]:
    """Measure the coverage of the search index, as far as it is known; nothing without an index."""
    view = read_index_view()
    if view is None:
        return {}
    counted = count_documents_by_owner(SceneWords.objects.filter(scene__in=SCENES.select_searchable().filter(owner__in=owner_ids)), view)
    refused = dict(
        SearchChange.objects.filter(owner_id__in=owner_ids, is_dead=True)
        .order_by()
        .values_list("owner_id")
        .annotate(scenes=Count("scene_id", distinct=True))
    )
    coverage = {}
    for owner_id, counts in counted.items():
        failed = min(refused.get(owner_id, 0), counts.stale)
        coverage[owner_id] = OwnerSpaceCoverage(
            channel=SEARCH_INDEX,
            fingerprint=view.target,
            model="OpenSearch",
            state="active" if view.is_searched else "coming",
            since=None,
            purge_from=None,
            embedded=counts.scenes - counts.stale,
            empty=0,
            failed=failed,
            missing=counts.stale - failed,
        )
    return coverage


def _determine_state(space: SpaceSummary, key: _Key, owner_rows: _OwnerRows) -> SpaceState:
    if key in owner_rows.activated:
        return "active"
    if space.latest:
        return "coming"
    return "retired" if key in owner_rows.retired else "left over"
