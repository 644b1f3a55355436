"""The vector indexes: each large space that is searched has one, it is valid, and none is left of a space that is gone."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection
from django.db.models import Index, Q
from django.utils import timezone

from reprocess.reconcile.base import Check, Finding, Kind
from videos.models import ActiveSpace, EmbeddingSpace, SceneEmbedding
from videos.search.index_catalogue import BuiltIndex, built_indexes
from videos.search.indexes import BUILT_WITHIN, build_index, drop_index, index_of, unindexed

log = structlog.get_logger(__name__)

_BY_HAND = "The database could not build it, and the log says why (often maintenance_work_mem or disk space): mend that and try again."
LOST = Kind("lost_indexes", "spaces should have an index, but it is gone or not valid", "builds them anew", _BY_HAND)
MISSING = Kind("missing_indexes", "large spaces that are searched have no index", "builds them", _BY_HAND)
STRAY = Kind("stray_indexes", "indexes are left of spaces that are gone or of builds that died", "drops them", _BY_HAND)


class Indexes(Check):
    """Compare the spaces with the database's own catalogue."""

    order = 40
    kinds = (LOST, MISSING, STRAY)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        built = built_indexes()
        spaces = list(EmbeddingSpace.objects.exclude(_being_built()))
        of_owner = None if owner_id is None else set(ActiveSpace.objects.filter(owner_id=owner_id).values_list("space_id", flat=True))
        large = {space.pk for space in unindexed()}
        for space in spaces:
            if of_owner is not None and space.pk not in of_owner:
                continue
            index = built.get(index_of(space).name)
            if space.indexed_at and (index is None or not index.valid):
                yield Finding(LOST, 1, f"{space}: {'not valid' if index else 'gone'}", partial(_rebuild, space))
            elif space.pk in large:
                yield Finding(MISSING, 1, str(space), partial(_rebuild, space))
        if owner_id is None:
            yield from _stray(built, large)


def _being_built() -> Q:
    return Q(index_began_at__gte=timezone.now() - BUILT_WITHIN)


def _stray(built: Mapping[str, BuiltIndex], large: set[UUID]) -> Iterator[Finding]:
    # What is large is built anew, which begins with a drop.
    wanted = EmbeddingSpace.objects.filter(_being_built() | Q(indexed_at__isnull=False) | Q(pk__in=large))
    names = {index_of(space).name for space in wanted}
    for name in built:
        if name not in names:
            yield Finding(STRAY, 1, name, partial(_drop, name))


def _rebuild(space: EmbeddingSpace) -> int:
    try:
        EmbeddingSpace.objects.filter(~_being_built(), pk=space.pk).update(indexed_at=None, index_began_at=None)
        if space.pk in {large.pk for large in unindexed()}:
            return 1 if build_index(space) else 0
        # Too small to need one, or read by nobody now: searches scan it, and a switch back has it built.
        drop_index(space)
    except DatabaseError as error:
        log.warning("An index could not be built", space=str(space.pk), reason=str(error).strip())
        return 0
    return 1


def _drop(name: str) -> int:
    with connection.schema_editor(atomic=False) as editor:
        change: Any = editor.remove_index
        change(SceneEmbedding, Index(fields=["vector"], name=name), concurrently=True)
    return 1


CHECK = Indexes()
