"""Vector indexes that are missing, lost or stray."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection
from django.db.models import Index, Q
from django.utils import timezone

from reprocess.reconcile.base import Check, Finding, IssueType
from videos.models import ActiveSpace, EmbeddingSpace, SceneEmbedding
from videos.search.indexes import BUILD_TIMEOUT, IndexStats, build_index, drop_index, list_indexes, list_unindexed, make_index

log = structlog.get_logger(__name__)

_MANUAL_FIX = "PostgreSQL could not build the index. Fix the cause in the log (often maintenance_work_mem or disk space) and try again."
LOST = IssueType("lost_indexes", "spaces have lost their index, or it is not valid", "rebuilds them", _MANUAL_FIX)
MISSING = IssueType("missing_indexes", "large spaces that search reads have no index", "builds them", _MANUAL_FIX)
STRAY = IssueType("stray_indexes", "indexes belong to deleted spaces or interrupted builds", "drops them", _MANUAL_FIX)


class Indexes(Check):
    """Every large active space needs a valid index in the database's catalog, and no index may belong to a deleted space."""

    order = 40
    issue_types = (LOST, MISSING, STRAY)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        built = list_indexes()
        spaces = list(EmbeddingSpace.objects.exclude(_is_being_built()))
        owner_spaces = None if owner_id is None else set(ActiveSpace.objects.filter(owner_id=owner_id).values_list("space_id", flat=True))
        large = {space.pk for space in list_unindexed()}
        for space in spaces:
            if owner_spaces is not None and space.pk not in owner_spaces:
                continue
            index = built.get(make_index(space).name)
            if space.indexed_at and (index is None or not index.valid):
                yield Finding(LOST, 1, f"{space}: {'not valid' if index else 'gone'}", partial(_rebuild, space))
            elif space.pk in large:
                yield Finding(MISSING, 1, str(space), partial(_rebuild, space))
        if owner_id is None:
            yield from _find_stray(built, large)


def _is_being_built() -> Q:
    return Q(index_began_at__gte=timezone.now() - BUILD_TIMEOUT)


def _find_stray(built: Mapping[str, IndexStats], large: set[UUID]) -> Iterator[Finding]:
    # The rebuild of a large space drops its index first.
    indexed = EmbeddingSpace.objects.filter(_is_being_built() | Q(indexed_at__isnull=False) | Q(pk__in=large))
    names = {make_index(space).name for space in indexed}
    for name in built:
        if name not in names:
            yield Finding(STRAY, 1, name, partial(_drop, name))


def _rebuild(space: EmbeddingSpace) -> int:
    try:
        EmbeddingSpace.objects.filter(~_is_being_built(), pk=space.pk).update(indexed_at=None, index_began_at=None)
        if space.pk in {large.pk for large in list_unindexed()}:
            return 1 if build_index(space) else 0
        # The space is too small for an index, or unused. Search scans it, and a rollback builds the index again.
        drop_index(space)
    except DatabaseError as error:
        log.warning("An index could not be built", space=str(space.pk), reason=str(error).strip())
        return 0
    return 1


def _drop(name: str) -> int:
    with connection.schema_editor(atomic=False) as editor:
        remove_index: Any = editor.remove_index
        remove_index(SceneEmbedding, Index(fields=["vector"], name=name), concurrently=True)
    return 1


CHECK = Indexes()
