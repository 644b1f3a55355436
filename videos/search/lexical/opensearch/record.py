"""Record in the database which documents OpenSearch has taken."""

from collections.abc import Iterable

from django.utils import timezone

from videos.models import SceneDocument
from videos.search.lexical.opensearch.bulk import Result, WriteResult


def record_documents(results: Iterable[WriteResult]) -> None:
    """Record the writes that were done. Of two indexes, the last one counts: the one that is being built.

    Two senders of one scene may record in another order than the server has followed. Then the scene counts as outdated, and is sent again.
    """
    done = {result.write.change.scene_id: result for result in results if result.result is Result.DONE}
    # In the order of their keys, so that two senders cannot deadlock.
    rows = [
        SceneDocument(pk=scene_id, index=result.index, text_hash=result.write.words.text_hash, written_at=timezone.now())
        for scene_id, result in sorted(done.items())
        if result.write.words
    ]
    SceneDocument.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["words"], update_fields=["index", "text_hash", "written_at"]
    )
    SceneDocument.objects.filter(pk__in=[scene_id for scene_id, result in done.items() if not result.write.words]).delete()
