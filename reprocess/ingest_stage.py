"""The ingest's `embed` stage: the same code as reprocessing, over one video."""

from reprocess.cutover import activate_complete
from reprocess.engine import Batch, embed_videos
from reprocess.spec import effective_spec
from videos.ingest.errors import IngestError
from videos.ingest.stage import StageContext

INCOMPLETE = "{count} of the video's descriptions could not be made searchable. The first reason: {reason}"


def run(context: StageContext) -> None:
    """Compute every vector of the video; IngestError when some could not be made."""
    failed: list[str] = []

    def record(batch: Batch) -> None:
        failed.extend(outcome.error for outcome in batch.outcomes if outcome.error)

    spec = effective_spec()
    embed_videos([context.video], spec, context, record)
    if failed:
        raise IngestError("embedding_failed", INCOMPLETE.format(count=len(failed), reason=failed[0]))
    activate_complete([context.video.owner_id], spec)
