"""Pack the vectors of large libraries: write the codes that searches compare, in blocks, while searches and writes go on.

A packing that replaces another is not active until it has all vectors. A packing that was interrupted goes on where it stopped.
"""

from collections.abc import Callable, Collection
from uuid import UUID

import numpy as np
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Func, Max, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.queue import is_stopping
from videos.channels import list_text_channels
from videos.models import EmbeddingSpace, PackedBlock, PackedSpace, SceneEmbedding
from videos.search.packed_vectors import read_unpacked, select_embedded
from videos.search.vector_codes import encode_vectors

log = structlog.get_logger(__name__)

# Vectors per block: their codes (200 kB at 384 dimensions) stay in a processor's cache. Only whole blocks are written; searches compare
# the rest with the query one by one.
BLOCK_SIZE = 4096
# Deleted and replaced vectors keep their codes. With this share of them, the space is packed again.
MAX_DEAD_SHARE = 0.25
# Apart from the locks of vocabularies, which have keys of eight bytes.
_LOCK_NAMESPACE = 24
_EXCLUSIVE, _SHARED = "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"


def hold_back_packing(owner_ids: Collection[UUID]) -> None:
    """Let packings wait until the transaction ends. Call it before writing vectors of some owners.

    A packing takes all ids up to the highest that it sees. So it must not run while lower ones are not committed.
    """
    _lock(owner_ids, _SHARED)


def delete_packed(owner_ids: Collection[UUID], space: EmbeddingSpace | None = None) -> None:
    """Delete the codes of some owners in one space, or in all. Their packings wait until the transaction ends, and begin again."""
    with transaction.atomic():
        _lock(owner_ids, _EXCLUSIVE)
        packed = PackedSpace.objects.filter(owner__in=owner_ids)
        (packed.filter(space=space) if space else packed).delete()


def find_unpacked_spaces() -> list[EmbeddingSpace]:
    """Return the spaces that may have vectors written since the last packing."""
    spaces = EmbeddingSpace.objects.filter(channel__in=list_text_channels(), packing_checked_to__lt=_get_highest_id())
    return list(spaces.order_by("pk"))


def pack_large_spaces(on_block: Callable[[PackedSpace], None] = lambda packed: None) -> int:
    """Pack what was written since the last call, of owners with more than settings.PACK_MIN_VECTORS. Return the number of blocks.

    A failure with one owner's vectors is logged, and tried again with the next call.
    """
    blocks = 0
    highest = _get_highest_id()
    for space in find_unpacked_spaces():
        written = space.embeddings.filter(pk__gt=space.packing_checked_to, pk__lte=highest)
        are_packed = True
        for owner_id in written.order_by().values_list("owner_id", flat=True).distinct():
            try:
                blocks += pack_space(owner_id, space, on_block)
            except ValueError:
                log.exception("Vectors could not be packed", owner_id=str(owner_id), space=str(space.pk))
                are_packed = False
            if is_stopping():
                return blocks
        if are_packed:
            # Not if a transfer has reset it meanwhile.
            checked = EmbeddingSpace.objects.filter(pk=space.pk, packing_checked_to=space.packing_checked_to)
            checked.update(packing_checked_to=highest)
    return blocks


def pack_space(owner_id: UUID, space: EmbeddingSpace, on_block: Callable[[PackedSpace], None] = lambda packed: None) -> int:
    """Pack an owner's vectors of a space, if they are many. Return the number of blocks that were written.

    End after a block when the process stops. The next call goes on there.
    """
    packed = _open(owner_id, space)
    blocks = 0
    while packed and _append_block(packed):
        blocks += 1
        on_block(packed)
        if is_stopping():
            return blocks
    if packed and not packed.is_active:
        _activate(packed)
    return blocks


def has_many_dead(packed: PackedSpace) -> bool:
    """Return whether the space should be packed again, because of vectors that were deleted or replaced."""
    live = select_embedded(packed.owner_id, packed.space_id).filter(pk__lte=packed.packed_to).count()
    return packed.count - live > MAX_DEAD_SHARE * packed.count


def _get_highest_id() -> int:
    return SceneEmbedding.objects.aggregate(highest=Max("pk"))["highest"] or 0


def _open(owner_id: UUID, space: EmbeddingSpace) -> PackedSpace | None:
    """Return the codes to continue: those that searches use, or those that replace them. None where vectors are few."""
    active = PackedSpace.objects.filter(owner_id=owner_id, space=space, is_active=True).first()
    if active and not has_many_dead(active):
        return active
    if not _is_large(owner_id, space):
        delete_packed([owner_id], space)
        return None
    with transaction.atomic():
        _lock([owner_id], _EXCLUSIVE)
        # A second call at the same time finds the same row, and both write to it in turn.
        return PackedSpace.objects.get_or_create(owner_id=owner_id, space=space, is_active=False)[0]


def _is_large(owner_id: UUID, space: EmbeddingSpace) -> bool:
    # Less than a block cannot be packed.
    least = max(settings.PACK_MIN_VECTORS, BLOCK_SIZE - 1)
    return select_embedded(owner_id, space.pk)[: least + 1].count() > least


def _append_block(packed: PackedSpace) -> bool:
    """Write the next block, and return whether there were vectors enough."""
    with transaction.atomic():
        # Before the row: those who delete it hold the lock.
        _lock([packed.owner_id], _EXCLUSIVE)
        locked = PackedSpace.objects.select_for_update().filter(pk=packed.pk).first()
        if locked is None:
            # It was replaced or deleted.
            return False
        unpacked = read_unpacked(locked, locked.space, BLOCK_SIZE)
        if len(unpacked.row_ids) < BLOCK_SIZE:
            return False
        if not locked.count:
            locked.center = unpacked.vectors.mean(axis=0).astype("<f4").tobytes()
        encoded = encode_vectors(unpacked.vectors, np.frombuffer(locked.center, "<f4"))
        PackedBlock.objects.create(
            packed=locked,
            number=locked.count // BLOCK_SIZE,
            row_ids=unpacked.row_ids.astype("<i8").tobytes(),
            codes=encoded.codes.tobytes(),
            scales=encoded.scales.tobytes(),
        )
        locked.packed_to, locked.count, locked.packed_at = int(unpacked.row_ids[-1]), locked.count + BLOCK_SIZE, timezone.now()
        locked.save(update_fields=["center", "packed_to", "count", "packed_at"])
    packed.packed_to, packed.count = locked.packed_to, locked.count
    return True


def _activate(packed: PackedSpace) -> None:
    """Let searches use the codes, unless another call has done so, or they were deleted."""
    with transaction.atomic():
        _lock([packed.owner_id], _EXCLUSIVE)
        complete = PackedSpace.objects.filter(pk=packed.pk, is_active=False, count__gt=0)
        if not complete.exists():
            return
        PackedSpace.objects.filter(owner=packed.owner_id, space=packed.space_id, is_active=True).delete()
        complete.update(is_active=True)
    log.info("Vectors packed", owner_id=str(packed.owner_id), space=str(packed.space_id), vectors=packed.count)


def _lock(owner_ids: Collection[UUID], function: str) -> None:
    key = Func(Cast("pk", TextField()), function="hashtext")
    lock = Func(Value(_LOCK_NAMESPACE), key, function=function, output_field=TextField())
    # In one order, so that two callers cannot wait for each other.
    list(User.objects.filter(pk__in=owner_ids).order_by("pk").annotate(lock=lock).values_list("lock"))
