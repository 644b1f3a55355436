"""Plan the step `search_index`: count the documents that the search index lacks. Without such an index there is nothing to do."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from reprocess.planning.plan import ChannelCounts
from reprocess.planning.scope import Scope
from reprocess.planning.targets import SCENES
from videos.models import SceneWords
from videos.search.lexical.scene_documents import IndexView, count_documents, count_documents_by_owner

# The step has no channels. Plans and counters list it under its name.
SEARCH_INDEX = "search_index"
NO_INDEX = "Words are searched in PostgreSQL, so search_index has nothing to do."
WRITTEN = "The documents of search_index are in {index}."
NOT_BUILT = "There is no search index of this release yet: a run over everything, or manage.py search_index rebuild, builds it."
AWAY = "The search index is counted as it was when it was last written, because its server cannot be asked. {problem}"


def count_search_index(scope: Scope, view: IndexView | None, *, force: bool) -> ChannelCounts:
    """Count a scope's scenes with words and their documents by cause, with one query. `view` is None without an index."""
    counts = count_documents(_select_words(scope), view) if view and scope.scene_ids is None else None
    if counts is None:
        return _build_counts(0, 0, 0, 0, 0)
    due = counts.scenes if force else counts.stale
    return _build_counts(counts.scenes, counts.missing, counts.outdated, counts.replaced, due)


def count_stale_documents(scope: Scope, view: IndexView | None, *, force: bool) -> dict[UUID, int]:
    """Count the documents to write per owner, with one query. Memory grows with the number of owners."""
    if view is None or scope.scene_ids is not None:
        return {}
    counted = count_documents_by_owner(_select_words(scope), view)
    return {owner_id: counts.scenes if force else counts.stale for owner_id, counts in counted.items()}


def describe_view(view: IndexView | None) -> str:
    """Return a sentence about the index that documents are written to. Pure."""
    if view is None:
        return NO_INDEX
    if view.problem:
        return AWAY.format(problem=view.problem)
    return WRITTEN.format(index=view.target) if view.target else NOT_BUILT


def count_planned_documents(plan: Mapping[str, Any]) -> int:
    """Return how many documents a plan in its JSON form would write. Pure."""
    return sum(channel["stale"] for channel in plan["channels"] if channel["channel"] == SEARCH_INDEX)


def _select_words(scope: Scope) -> QuerySet[SceneWords]:
    return SceneWords.objects.filter(scene__in=scope.select_targets(SCENES))


def _build_counts(scenes: int, missing: int, outdated: int, replaced: int, due: int) -> ChannelCounts:
    """Build the counts of a step that calls no model and reads no tokens."""
    return ChannelCounts(SEARCH_INDEX, SEARCH_INDEX, SCENES.plural, scenes, missing, outdated, replaced, due, 0.0, 0)
