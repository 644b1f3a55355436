"""The ingest's `embed` stage: the same code as reprocessing, over one video."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog

from heimdex.embedders.errors import EmbedderUnavailable
from reprocess.cutover import activate_first
from reprocess.engine import Batch, Guard, Record, embed_videos
from reprocess.older_spec import older_active_spec
from reprocess.spec import effective_spec
from videos.ingest.errors import IngestError
from videos.ingest.stage import StageContext
from videos.models import Video

log = structlog.get_logger(__name__)

INCOMPLETE = "{count} of the video's descriptions could not be made searchable. The first reason: {reason}"


@dataclass(frozen=True)
class HalfOf:
    """One half of a stage's work, so that progress does not go back when the second half begins."""

    guard: Guard
    half: int

    def progress(self, fraction: float) -> None:
        """Report the progress within this half."""
        self.guard.progress((self.half + fraction) / 2)

    def writing(self) -> AbstractContextManager[None]:
        """Write as the whole stage does."""
        return self.guard.writing()


def run(context: StageContext) -> None:
    """Compute every vector of the video; IngestError when some could not be made."""
    failed: list[str] = []
    spec = effective_spec()
    embed_videos([context.video], spec, HalfOf(context, 0), _collect(failed))
    if failed:
        raise IngestError("embedding_failed", INCOMPLETE.format(count=len(failed), reason=failed[0]))
    embed_into_active(context.video, HalfOf(context, 1))
    activate_first(context.video.owner_id, spec)


def embed_into_active(video: Video, guard: Guard) -> None:
    """Bring a video to the older spaces that its owner's search still reads, so that it is found by meaning before the switch.

    What cannot be computed any more is left to the words, and logged: the latest vectors are there and will be read.
    """
    older = older_active_spec(video.owner_id)
    problems = list(older.left_out)
    if older.spec:
        try:
            embed_videos([video], older.spec, guard, _collect(problems))
        except EmbedderUnavailable as error:
            problems.append(str(error))
    for problem in dict.fromkeys(problems):
        log.warning("A video is not in all spaces that its owner's search reads", reason=problem)


def _collect(errors: list[str]) -> Record:
    def record(batch: Batch) -> None:
        errors.extend(outcome.error for outcome in batch.outcomes if outcome.error)

    return record
