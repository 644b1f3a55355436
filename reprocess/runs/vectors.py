"""Write outcomes (vectors, empty inputs and failures) with a few statements per batch, whatever its size."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from heimdex.leases import LeasedModel
from reprocess.planning.targets import TargetType
from reprocess.runs.pg_copy import copy_rows, encode_halfvecs, encode_time, encode_uuid
from reprocess.steps.embedding_task import Outcome
from videos.channels import get_channel
from videos.input_hashes import Hashes, load_hashes, store_hashes
from videos.models import EmbeddingRow, EmbeddingSpace
from videos.search.packing import hold_back_packing

# Every column but the target and the primary key, which the database assigns.
COPIED = ("space", "owner", "state", "vector", "input_hash", "error", "run_id", "computed_at")


def replace_embeddings(
    target_type: TargetType, outcomes: Iterable[Outcome], spaces: Mapping[str, EmbeddingSpace], run_id: UUID | None
) -> list[Outcome]:
    """Replace the rows of some targets by one row per outcome. Return the outcomes that were written. Call it in a transaction.

    Outcomes are skipped when their target was deleted, when their input has changed since it was read (it stays stale), or when the
    lease on their target has changed.
    """
    current = _filter_current(target_type, list(outcomes))
    now = timezone.now()
    hold_back_packing({outcome.task.owner_id for outcome in current if get_channel(outcome.task.channel).searched_by_text})
    for channel in {outcome.task.channel for outcome in current}:
        in_channel = [outcome for outcome in current if outcome.task.channel == channel]
        target_ids = [outcome.task.target_id for outcome in in_channel]
        target_type.filter_embeddings(**{f"{target_type.name}__in": target_ids}, space=spaces[channel]).delete()
        _copy(
            target_type, [outcome for outcome in in_channel if outcome.state == EmbeddingRow.State.EMBEDDED], spaces[channel], run_id, now
        )
    target_type.embedding_model._default_manager.bulk_create(
        target_type.embedding_model(
            **{f"{target_type.name}_id": outcome.task.target_id},
            space=spaces[outcome.task.channel],
            owner_id=outcome.task.owner_id,
            state=outcome.state,
            input_hash=outcome.task.input_hash,
            error=outcome.error or outcome.no_content.reason,
            run_id=run_id,
            computed_at=now,
        )
        for outcome in current
        if outcome.state != EmbeddingRow.State.EMBEDDED
    )
    _update_hashes(target_type, current)
    return current


def _filter_current(target_type: TargetType, outcomes: list[Outcome]) -> list[Outcome]:
    """Lock the targets until the transaction ends. Return the outcomes whose input and lease have not changed."""
    ids = {outcome.task.target_id for outcome in outcomes}
    # In key order, so that two writers cannot deadlock. The second replaces the rows of the first.
    locked = target_type.model._default_manager.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    tokens = {target.pk: getattr(target, "lease_token", None) for target in locked.only("pk", *_list_lease_fields(target_type))}
    # A separate statement, because the one that waited for the locks would see the old hashes.
    stored = _load_hashes(target_type, outcomes)
    return [
        outcome
        for outcome in outcomes
        if (task := outcome.task).target_id in tokens
        and tokens[task.target_id] == getattr(outcome.target, "lease_token", None)
        and stored.get((task.target_id, task.channel)) == task.stored_hash
    ]


def _list_lease_fields(target_type: TargetType) -> list[str]:
    """Return the name of the field with the lease token, if the targets are leased one by one."""
    return ["lease_token"] if issubclass(target_type.model, LeasedModel) else []


def _copy(target_type: TargetType, embedded: list[Outcome], space: EmbeddingSpace, run_id: UUID | None, now: datetime) -> None:
    if not embedded:
        return
    vectors = encode_halfvecs([outcome.vector for outcome in embedded if outcome.vector is not None])
    space_id, run, state, computed_at = encode_uuid(space.pk), encode_uuid(run_id), EmbeddingRow.State.EMBEDDED.value, encode_time(now)
    rows = (
        (encode_uuid(task.target_id), space_id, encode_uuid(task.owner_id), state, vector, task.input_hash, "", run, computed_at)
        for task, vector in zip((outcome.task for outcome in embedded), vectors, strict=True)
    )
    copy_rows(target_type.embedding_model, (target_type.name, *COPIED), rows)


def _update_hashes(target_type: TargetType, outcomes: list[Outcome]) -> None:
    """Store the hashes of inputs without a stored hash, or whose code has changed.

    So a stored hash is never older than the code that composed the vector's input.
    """
    tasks = [outcome.task for outcome in outcomes if outcome.task.input_hash != outcome.task.stored_hash]
    store_hashes(target_type.input_model, ((task.target_id, task.owner_id, task.channel, task.input_hash) for task in tasks), {})


def _load_hashes(target_type: TargetType, outcomes: list[Outcome]) -> Hashes:
    ids = {outcome.task.target_id for outcome in outcomes}
    channels = {outcome.task.channel for outcome in outcomes}
    return load_hashes(target_type.input_model, channels, **{f"{target_type.name}__in": ids})
