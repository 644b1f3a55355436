"""Codes of large libraries that are missing, or of too many vectors that are gone."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from reprocess.reconcile.base import Check, Finding, IssueType
from videos.channels import list_text_channels
from videos.models import EmbeddingSpace, PackedSpace, SceneEmbedding
from videos.search.packed_vectors import select_unpacked
from videos.search.packing import BLOCK_SIZE, has_many_dead, pack_space

UNPACKED = IssueType(
    "unpacked_vectors",
    "large libraries have vectors without codes, or codes without vectors, so their searches are slow or find less",
    "packs them",
    "See the log.",
)


class Packings(Check):
    """Nearly all vectors of a large library have codes, and nearly all codes a vector."""

    order = 40
    issue_types = (UNPACKED,)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        vectors = SceneEmbedding.objects.filter(space__channel__in=list_text_channels(), state=SceneEmbedding.State.EMBEDDED)
        if owner_id:
            vectors = vectors.filter(owner_id=owner_id)
        counts = vectors.order_by().values_list("owner_id", "space_id").annotate(count=Count("pk"))
        large = set(counts.filter(count__gt=max(settings.PACK_MIN_VECTORS, BLOCK_SIZE)).values_list("owner_id", "space_id"))
        active = PackedSpace.objects.filter(is_active=True).defer("center")
        packed = {(row.owner_id, row.space_id): row for row in (active.filter(owner=owner_id) if owner_id else active)}
        spaces = EmbeddingSpace.objects.in_bulk([space_id for _, space_id in large | packed.keys()])
        for owner, space_id in sorted(large | packed.keys()):
            codes = packed.get((owner, space_id))
            if codes is None or has_many_dead(codes) or select_unpacked(codes).count() >= 2 * BLOCK_SIZE:
                yield Finding(UNPACKED, 1, f"{owner}: {spaces[space_id]}", partial(_pack, owner, spaces[space_id]))


def _pack(owner_id: UUID, space: EmbeddingSpace) -> int:
    pack_space(owner_id, space)
    return 1


CHECK = Packings()
