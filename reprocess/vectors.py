"""Write what was computed: vectors, empty inputs and failures, a few statements a batch whatever its size."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from reprocess.copying import copy_rows, halfvec_cells, time_cell, uuid_cell
from reprocess.subjects import Kind
from reprocess.work import Outcome, Subject
from videos.models import EmbeddingRow, EmbeddingSpace

# Every column but the subject and the key, which the database counts.
COPIED = ("space", "owner", "state", "vector", "input_hash", "error", "run_id", "computed_at")


def write_outcomes(kind: Kind, outcomes: Iterable[Outcome], spaces: Mapping[str, EmbeddingSpace], run_id: UUID | None) -> list[Outcome]:
    """Write one row per outcome in place of those that are there, and return what was written. Call it within a transaction.

    Subjects that were deleted meanwhile, and channels of which somebody changed the input, are left out: the latter stay stale.
    """
    kept = _of_today(kind, list(outcomes))
    now = timezone.now()
    for channel in {outcome.work.channel for outcome in kept}:
        of_channel = [outcome for outcome in kept if outcome.work.channel == channel]
        kind.rows_of(**{f"{kind.name}__in": [outcome.work.subject_id for outcome in of_channel]}, space=spaces[channel]).delete()
        _copy(kind, [outcome for outcome in of_channel if outcome.state == EmbeddingRow.State.EMBEDDED], spaces[channel], run_id, now)
    kind.rows._default_manager.bulk_create(
        kind.rows(
            **{f"{kind.name}_id": outcome.work.subject_id},
            space=spaces[outcome.work.channel],
            owner_id=outcome.work.owner_id,
            state=outcome.state,
            input_hash=outcome.work.input_hash,
            error=outcome.error or outcome.nothing.reason,
            run_id=run_id,
            computed_at=now,
        )
        for outcome in kept
        if outcome.state != EmbeddingRow.State.EMBEDDED
    )
    _correct_hashes(kind, kept)
    return kept


def _of_today(kind: Kind, outcomes: list[Outcome]) -> list[Outcome]:
    """Lock the subjects until the transaction ends and return the outcomes whose input is still the one that was read."""
    fields = sorted({outcome.hash_field for outcome in outcomes})
    wanted = {outcome.work.subject_id for outcome in outcomes}
    # In key order, so that two writers cannot wait for each other; whoever comes second then replaces what the first has written.
    locked = kind.model._default_manager.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk", *fields)
    now = {(subject_id, field): value for subject_id, *values in locked for field, value in zip(fields, values, strict=True)}
    return [
        outcome
        for outcome in outcomes
        if now.get((outcome.work.subject_id, outcome.hash_field)) == getattr(outcome.subject, outcome.hash_field)
    ]


def _copy(kind: Kind, embedded: list[Outcome], space: EmbeddingSpace, run_id: UUID | None, now: datetime) -> None:
    if not embedded:
        return
    vectors = halfvec_cells([outcome.vector for outcome in embedded if outcome.vector is not None])
    of_space, of_run, state, computed_at = uuid_cell(space.pk), uuid_cell(run_id), EmbeddingRow.State.EMBEDDED.value, time_cell(now)
    rows = (
        (uuid_cell(work.subject_id), of_space, uuid_cell(work.owner_id), state, vector, work.input_hash, "", of_run, computed_at)
        for work, vector in zip((outcome.work for outcome in embedded), vectors, strict=True)
    )
    copy_rows(kind.rows, (kind.name, *COPIED), rows)


def _correct_hashes(kind: Kind, outcomes: list[Outcome]) -> None:
    """Bring the subjects' hashes to what was composed now, where the way of composing has changed since they were written."""
    changed: dict[str, list[Subject]] = {}
    for outcome in outcomes:
        if getattr(outcome.subject, outcome.hash_field) != outcome.work.input_hash:
            setattr(outcome.subject, outcome.hash_field, outcome.work.input_hash)
            changed.setdefault(outcome.hash_field, []).append(outcome.subject)
    for field, subjects in changed.items():
        kind.model._default_manager.bulk_update(subjects, [field])
