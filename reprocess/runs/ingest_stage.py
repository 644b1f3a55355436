"""The ingest stage `embed`: compute the vectors of one video with the code that runs use."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog

from heimdex.errors import ModelAway, ModelUnavailable
from reprocess.cutover import activate_first
from reprocess.runs.engine import Batch, OnBatch, WorkLease, embed_videos
from reprocess.runs.unexpected import omit_details
from reprocess.spec import get_effective_spec
from reprocess.spec.historical import build_historical_spec
from videos.errors import IngestErrorCode
from videos.ingest.stage import IngestError, Stage, StageContext
from videos.models import Video

log = structlog.get_logger(__name__)

INCOMPLETE = "{count} of the video's parts could not be made searchable. The first reason: {reason}"


@dataclass(frozen=True)
class ProgressHalf:
    """A lease that reports progress within one half (0 or 1) of the stage, so that progress never goes back."""

    lease: WorkLease
    half: int

    def report_progress(self, fraction: float) -> None:
        """Report the progress within this half."""
        self.lease.report_progress((self.half + fraction) / 2)

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction of the whole stage."""
        return self.lease.transaction()


def run(context: StageContext) -> None:
    """Compute every vector of the video. Raise IngestError when some could not be computed."""
    failed: list[str] = []
    spec = get_effective_spec()
    embed_videos([context.video], spec, ProgressHalf(context, 0), _collect_errors(failed))
    if failed:
        raise IngestError(IngestErrorCode.EMBEDDING_FAILED, INCOMPLETE.format(count=len(failed), reason=omit_details(failed[0])))
    embed_into_active(context.video, ProgressHalf(context, 1))
    activate_first(context.video.owner_id, spec)


def embed_into_active(video: Video, lease: WorkLease) -> None:
    """Add a video to the older spaces that its owner's search still reads, so that vector search finds it before the cutover.

    Vectors that can no longer be computed are logged. Until the cutover, full text search finds the video. Raise ModelAway when the server
    of an older model does not answer now.
    """
    historical = build_historical_spec(video.owner_id)
    problems = list(historical.unavailable)
    if historical.spec:
        try:
            embed_videos([video], historical.spec, lease, _collect_errors(problems))
        except ModelAway:
            # The video can wait for this server.
            raise
        except ModelUnavailable as error:
            problems.append(str(error))
    for problem in dict.fromkeys(problems):
        log.warning("A video is missing from a space that its owner's search reads", reason=problem)


def _collect_errors(errors: list[str]) -> OnBatch:
    def collect(batch: Batch) -> None:
        errors.extend(outcome.error for outcome in batch.outcomes if outcome.error)

    return collect


STAGE = Stage("embed", order=80, label="Computing embeddings", run=run, weight=12)
