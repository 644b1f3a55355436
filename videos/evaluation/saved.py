"""The owner's own judgments as judged queries."""

from uuid import UUID

from videos.evaluation.judgments import NO_CLASS, JudgedQuery
from videos.evaluation.references import ResolvedQuery
from videos.models import Judgment


def list_saved_queries(owner_id: UUID, limit: int | None = None) -> list[ResolvedQuery]:
    """Return the queries that the owner has judged, in alphabetical order, with grade 1 for a scene that fits and 0 for another.

    A query of which no scene fits says nothing about a ranking and is left out. With `limit`, the queries judged last.
    """
    grades: dict[str, dict[UUID, int]] = {}
    rows = Judgment.objects.filter(owner_id=owner_id, scene__owner_id=owner_id).order_by("-judged_at", "-pk")
    for text, scene_id, fits in rows.values_list("text", "scene_id", "fits").iterator():
        grades.setdefault(text, {})[scene_id] = int(fits)
    judged = [text for text, by_scene in grades.items() if any(by_scene.values())][:limit]
    return [
        ResolvedQuery(
            JudgedQuery(text, text, NO_CLASS, {str(scene): grade for scene, grade in grades[text].items()}, {}), grades[text], None
        )
        for text in sorted(judged)
    ]
