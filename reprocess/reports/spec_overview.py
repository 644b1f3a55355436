"""Summarize the embedding spec: its steps, and every space with its size and use.

The number of SQL statements does not depend on the number of owners. PostgreSQL counts the rows with index-only scans.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Sum

from heimdex.database.table_sizes import measure_table
from reprocess.planning.search_index import describe_view
from reprocess.planning.targets import TARGET_TYPES
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION, ConfiguredStep, EffectiveSpec, get_effective_spec
from reprocess.spec.latest import hash_json
from videos.models import ActiveSpace, EmbeddingSpace, PackedSpace, RetiredSpace
from videos.search.lexical.search_index import read_index_view
from videos.search.vector_codes import count_words

# Measured bytes of a row without its vector: keys, owner, input hash, state, timestamps and PostgreSQL's row header.
_ROW_BYTES = 230
# Of a code: the id of its vector's row, and its scale.
_PACKED_ROW_BYTES = 10


@dataclass(frozen=True)
class StepSummary:
    """A step, its model's identity, and the fingerprint of each of its channels. `search_index` has one under its own name."""

    name: str
    code_version: int
    embedder: str
    identity: dict[str, Any]
    fingerprints: dict[str, str]


@dataclass(frozen=True)
class SpaceUse:
    """The number of owners whose search uses a space, and the time of the first."""

    owners: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class SpaceSummary:
    """A space: its size on disk, and the number of owners for whom it is active, pending or retired.

    `id` is empty for a latest space without rows. `table_bytes` is its share of the vector tables, by rows and dimensions.
    `packed_rows` is the number of vectors of large owners that have codes. The first purge is due at `purge_from`.
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
    packed_rows: int
    packed_bytes: int
    active_owners: int
    active_since: datetime | None
    pending_owners: int
    retired_owners: int
    retired_since: datetime | None
    purge_from: datetime | None

    @property
    def bytes(self) -> int:
        """The size of the vectors and their codes, in bytes."""
        return self.table_bytes + self.packed_bytes

    @property
    def usage(self) -> str:
        """A phrase with the number of owners for whom the space is active, pending or retired."""
        parts = [
            f"active for {self.active_owners} since {self.active_since:%Y-%m-%d}" if self.active_since else "",
            f"pending for {self.pending_owners}" if self.pending_owners else "",
            f"retired for {self.retired_owners} since {self.retired_since:%Y-%m-%d}" if self.retired_since else "",
            f"purge due from {self.purge_from:%Y-%m-%d}" if self.purge_from else "",
        ]
        return ", ".join(part for part in parts if part) or "unused"


@dataclass(frozen=True)
class SpecOverview:
    """The latest spec with this installation's models, and all spaces. In each channel the latest space comes first.

    `search_index` says which index documents are written to, or why there is none.
    """

    version: str
    digest: str
    steps: tuple[StepSummary, ...]
    spaces: tuple[SpaceSummary, ...]
    search_index: str


def summarize_spec() -> SpecOverview:
    """Summarize the latest spec and all spaces. No model is loaded."""
    spec = get_effective_spec()
    steps = [_summarize_step(configured) for configured in spec.steps]
    if spec.search_index:
        steps.append(_summarize_index_step(spec.search_index))
    return SpecOverview(spec.version, spec.digest, tuple(steps), _summarize_spaces(spec), describe_view(read_index_view()))


def compute_purge_time(retired_at: datetime | None, *, latest: bool) -> datetime | None:
    """Return when `purge_spaces` may delete a space that was retired at this time. Return None for a latest space, which is kept."""
    return None if latest or retired_at is None else retired_at + timedelta(days=settings.KEEP_RETIRED_DAYS)


def _summarize_step(configured: ConfiguredStep) -> StepSummary:
    step = configured.step
    fingerprints = {channel: configured.compute_fingerprint(channel) for channel in step.channels}
    return StepSummary(step.name, step.code_version, step.embedder_alias, configured.identity.describe(), fingerprints)


def _summarize_index_step(described: Mapping[str, Any]) -> StepSummary:
    return StepSummary(described["name"], described["code_version"], "", described["model"], {described["name"]: hash_json(described)})


def _summarize_spaces(spec: EffectiveSpec) -> tuple[SpaceSummary, ...]:
    latest = {configured.compute_fingerprint(channel) for configured, channel in spec.list_channels()}
    order = {channel: position for position, (_, channel) in enumerate(spec.list_channels())}
    spaces = list(EmbeddingSpace.objects.all())
    existing = {space.fingerprint for space in spaces}
    spaces += [
        _build_unsaved_space(configured, channel)
        for configured, channel in spec.list_channels()
        if configured.compute_fingerprint(channel) not in existing
    ]
    rows = _count_rows()
    active, readers = _measure_active_use()
    retired = _measure_retired_use()
    packed = _count_packed()
    shares = _share_table_bytes(spaces, rows)
    summaries = [
        _summarize_space(
            space,
            latest=space.fingerprint in latest,
            rows=rows.get(space.pk, 0),
            table_bytes=shares[space.pk],
            packed_rows=packed.get(space.pk, 0),
            active=active.get(space.pk, SpaceUse()),
            readers=readers.get(space.channel, 0),
            retired=retired.get(space.pk, SpaceUse()),
        )
        for space in spaces
    ]
    return tuple(
        sorted(summaries, key=lambda space: (order.get(space.channel, len(order)), not space.latest, -space.rows, space.fingerprint))
    )


def _summarize_space(
    space: EmbeddingSpace,
    *,
    latest: bool,
    rows: int,
    table_bytes: int,
    packed_rows: int,
    active: SpaceUse,
    readers: int,
    retired: SpaceUse,
) -> SpaceSummary:
    return SpaceSummary(
        id="" if space._state.adding else str(space.pk),
        channel=space.channel,
        fingerprint=space.fingerprint,
        step=space.step,
        spec_version=space.spec_version,
        model=str(space.embedder.get("model", "?")),
        revision=str(space.embedder.get("revision", "")),
        dimensions=space.dimensions,
        latest=latest,
        rows=rows,
        table_bytes=table_bytes,
        packed_rows=packed_rows,
        packed_bytes=packed_rows * (_PACKED_ROW_BYTES + 8 * count_words(space.dimensions)),
        active_owners=active.owners,
        active_since=active.since,
        pending_owners=readers - active.owners if latest else 0,
        retired_owners=retired.owners,
        retired_since=retired.since,
        purge_from=compute_purge_time(retired.since, latest=latest),
    )


def _count_rows() -> dict[UUID, int]:
    """Count the rows of each space."""
    rows: dict[UUID, int] = {}
    for target_type in TARGET_TYPES:
        rows |= dict(target_type.filter_embeddings().values_list("space").annotate(rows=Count("pk")).order_by())
    return rows


def _count_packed() -> dict[UUID, int]:
    return dict(PackedSpace.objects.values_list("space").annotate(rows=Sum("count")).order_by())


def _measure_active_use() -> tuple[dict[UUID, SpaceUse], dict[str, int]]:
    """Measure the active use of each space, and count the owners whose search reads each channel."""
    active: dict[UUID, SpaceUse] = {}
    readers: dict[str, int] = {}
    use = ActiveSpace.objects.values_list("space", "channel").annotate(owners=Count("pk"), since=Min("activated_at")).order_by()
    for space_id, channel, owners, since in use:
        active[space_id] = SpaceUse(owners, since)
        readers[channel] = readers.get(channel, 0) + owners
    return active, readers


def _measure_retired_use() -> dict[UUID, SpaceUse]:
    use = RetiredSpace.objects.values_list("space").annotate(owners=Count("pk"), since=Min("retired_at")).order_by()
    return {space_id: SpaceUse(owners, since) for space_id, owners, since in use}


def _share_table_bytes(spaces: list[EmbeddingSpace], rows: dict[UUID, int]) -> dict[UUID, int]:
    """Divide the size of the vector tables among the spaces, by rows and dimensions (halfvec: two bytes per dimension)."""
    weights = {space.pk: rows.get(space.pk, 0) * (_ROW_BYTES + 2 * space.dimensions) for space in spaces}
    bytes_per_weight = sum(measure_table(target_type.embedding_model) for target_type in TARGET_TYPES) / max(1, sum(weights.values()))
    return {space_id: round(weight * bytes_per_weight) for space_id, weight in weights.items()}


def _build_unsaved_space(configured: ConfiguredStep, channel: str) -> EmbeddingSpace:
    """Build the space of a channel without rows, and do not save it."""
    return EmbeddingSpace(
        channel=channel,
        fingerprint=configured.compute_fingerprint(channel),
        step=configured.step.name,
        spec_version=LATEST_EMBEDDING_SPEC_VERSION,
        embedder=configured.model_snapshot,
        dimensions=configured.identity.dimensions,
    )
