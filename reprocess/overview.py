"""The embedding spec at a glance: its steps, and every space with its size and use.

A few statements, whatever the number of owners; rows are counted in the database, by an index alone.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min

from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION, ConfiguredStep, EffectiveSpec, effective_spec
from reprocess.subjects import KINDS
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace
from videos.search.index_catalogue import built_indexes, table_bytes
from videos.search.indexes import index_of

# What a row takes beside its vector, in bytes: keys, owner, input hash, state, times and PostgreSQL's own header, as rows were measured.
_ROW_BYTES = 230


@dataclass(frozen=True)
class StepView:
    """A step with its model's identity, and the fingerprint of each of its channels."""

    name: str
    code_version: int
    embedder: str
    identity: dict[str, Any]
    fingerprints: dict[str, str]


@dataclass(frozen=True)
class SpaceView:
    """A space: whose search reads it, will read it or did, and what it takes on disk (bytes).

    A latest space that nothing was written to yet has no `id`. `table_bytes` is its share of the tables of all vectors, by rows and
    dimensions; `index_bytes` is 0 without an index. `active_since` and `retired_since` are those of the first owner; the first purge
    is due at `purge_from`.
    """

    id: str
    channel: str
    fingerprint: str
    step: str
    spec_version: str
    model: str
    revision: str
    dimensions: int
    latest: bool
    rows: int
    table_bytes: int
    index: Literal["none", "valid", "not valid"]
    index_bytes: int
    active_owners: int
    active_since: datetime | None
    coming_owners: int
    retired_owners: int
    retired_since: datetime | None
    purge_from: datetime | None

    @property
    def bytes(self) -> int:
        """What the space takes on disk."""
        return self.table_bytes + self.index_bytes

    @property
    def standing(self) -> str:
        """Say in words who reads it."""
        parts = [
            f"active for {self.active_owners} since {self.active_since:%Y-%m-%d}" if self.active_since else "",
            f"coming for {self.coming_owners}" if self.coming_owners else "",
            f"retired for {self.retired_owners} since {self.retired_since:%Y-%m-%d}" if self.retired_since else "",
            f"purged from {self.purge_from:%Y-%m-%d}" if self.purge_from else "",
        ]
        return ", ".join(part for part in parts if part) or "read by nobody"


@dataclass(frozen=True)
class Overview:
    """The latest spec as this installation runs it, and all spaces there are, the latest first in each channel."""

    version: str
    digest: str
    steps: tuple[StepView, ...]
    spaces: tuple[SpaceView, ...]

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it, moments still as moments."""
        spaces = [{**asdict(space), "bytes": space.bytes} for space in self.spaces]
        return {"version": self.version, "digest": self.digest, "steps": [asdict(step) for step in self.steps], "spaces": spaces}


def spec_overview() -> Overview:
    """Return the spec and its spaces; loads no model."""
    spec = effective_spec()
    return Overview(spec.version, spec.digest, tuple(_step(configured) for configured in spec.steps), _spaces(spec))


def purge_due(retired_at: datetime | None, *, latest: bool) -> datetime | None:
    """Return from when purge_spaces removes what was retired at a moment; the latest spaces are never removed."""
    return None if latest or retired_at is None else retired_at + timedelta(days=settings.KEEP_RETIRED_DAYS)


def _step(configured: ConfiguredStep) -> StepView:
    step = configured.step
    prints = {channel: configured.fingerprint(channel) for channel in step.channels}
    return StepView(step.name, step.code_version, step.embedder_alias, asdict(configured.identity), prints)


def _spaces(spec: EffectiveSpec) -> tuple[SpaceView, ...]:
    latest = {configured.fingerprint(channel): place for place, (configured, channel) in enumerate(spec.channels())}
    order = {channel: place for place, (_, channel) in enumerate(spec.channels())}
    spaces = list(EmbeddingSpace.objects.all())
    begun = {space.fingerprint for space in spaces}
    spaces += [_not_begun(configured, channel) for configured, channel in spec.channels() if configured.fingerprint(channel) not in begun]
    rows: dict[UUID, int] = {}
    for kind in KINDS:
        rows |= dict(kind.rows_of().values_list("space").annotate(rows=Count("pk")).order_by())
    active = {
        space: (owners, since, channel)
        for space, channel, owners, since in ActiveSpace.objects.values_list("space", "channel")
        .annotate(owners=Count("pk"), since=Min("activated_at"))
        .order_by()
    }
    readers = {channel: sum(owners for owners, _, of in active.values() if of == channel) for channel in order}
    of_retired = RetiredSpace.objects.values_list("space").annotate(owners=Count("pk"), since=Min("retired_at")).order_by()
    retired = {space: (owners, since) for space, owners, since in of_retired}
    indexes = built_indexes()
    weights = {space.pk: rows.get(space.pk, 0) * (_ROW_BYTES + 2 * space.dimensions) for space in spaces}
    bytes_per_weight = sum(table_bytes(kind.rows) for kind in KINDS) / max(1, sum(weights.values()))
    views = []
    for space in spaces:
        is_latest = space.fingerprint in latest
        active_owners, active_since, _ = active.get(space.pk, (0, None, ""))
        retired_owners, retired_since = retired.get(space.pk, (0, None))
        index = indexes.get(index_of(space).name)
        views.append(
            SpaceView(
                id="" if space._state.adding else str(space.pk),
                channel=space.channel,
                fingerprint=space.fingerprint,
                step=space.step,
                spec_version=space.spec_version,
                model=str(space.embedder.get("model", "?")),
                revision=str(space.embedder.get("revision", "")),
                dimensions=space.dimensions,
                latest=is_latest,
                rows=rows.get(space.pk, 0),
                table_bytes=round(weights[space.pk] * bytes_per_weight),
                index="none" if index is None else "valid" if index.valid else "not valid",
                index_bytes=index.size_bytes if index else 0,
                active_owners=active_owners,
                active_since=active_since,
                coming_owners=readers.get(space.channel, 0) - active_owners if is_latest else 0,
                retired_owners=retired_owners,
                retired_since=retired_since,
                purge_from=purge_due(retired_since, latest=is_latest),
            )
        )
    return tuple(sorted(views, key=lambda view: (order.get(view.channel, len(order)), not view.latest, -view.rows, view.fingerprint)))


def _not_begun(configured: ConfiguredStep, channel: str) -> EmbeddingSpace:
    return EmbeddingSpace(
        channel=channel,
        fingerprint=configured.fingerprint(channel),
        step=configured.step.name,
        spec_version=LATEST_EMBEDDING_SPEC_VERSION,
        embedder=configured.model_record,
        dimensions=configured.identity.dimensions,
    )
