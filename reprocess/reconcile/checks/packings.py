"""Codes of large libraries that are missing, or of too many vectors that are gone."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from reprocess.reconcile.base import Check, Finding, IssueType
from videos.channels import list_text_channels
from videos.models import EmbeddingSpace, PackedSpace, SceneEmbedding
from videos.search.packing import BLOCK_SIZE, pack_space

UNPACKED = IssueType(
    "unpacked_vectors", "large libraries have vectors without codes, so their searches are slow", "packs them", "See the log."
)


class Packings(Check):
    """Nearly all vectors of a large library have codes."""

    order = 40
    issue_types = (UNPACKED,)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        vectors = SceneEmbedding.objects.filter(space__channel__in=list_text_channels(), state=SceneEmbedding.State.EMBEDDED)
        if owner_id:
            vectors = vectors.filter(owner_id=owner_id)
        counts = vectors.order_by().values_list("owner_id", "space_id").annotate(count=Count("pk"))
        large = counts.filter(count__gt=max(settings.PACK_MIN_VECTORS, BLOCK_SIZE))
        packed = {(row.owner_id, row.space_id): row.count for row in PackedSpace.objects.filter(is_active=True).defer("center")}
        spaces = EmbeddingSpace.objects.in_bulk([space_id for _, space_id, _ in large])
        for owner, space_id, count in large:
            if count - packed.get((owner, space_id), 0) >= 2 * BLOCK_SIZE or (owner, space_id) not in packed:
                yield Finding(UNPACKED, 1, f"{owner}: {spaces[space_id]}", partial(_pack, owner, spaces[space_id]))


def _pack(owner_id: UUID, space: EmbeddingSpace) -> int:
    pack_space(owner_id, space)
    return 1


CHECK = Packings()
