"""P8 and P9: how long an upload waits during a backfill, and how long a pause takes."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import count_inputs, queue_run
from bench.workers import run_workers, wait_until

ROUNDS = 7
VIDEOS, SCENES = 200, 50


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield an upload's wait as a ratio, and the seconds from a pause until no worker has a lease."""
    from heimdex.queue import REPROCESS, UPLOADS
    from reprocess.actions.runs import pause_run, resume_run

    empty_database()
    make_library(VIDEOS, SCENES, texts=True, images=False)
    with run_workers(UPLOADS, REPROCESS):
        _measure_upload_wait()
        run_id = queue_run()
        for number in range(ROUNDS):
            if number:
                resume_run(run_id)
            _wait_for_work(run_id)
            during_backfill = _measure_upload_wait()
            pause_run(run_id)
            stopped_s = wait_until(lambda: not _has_leases(run_id), "the worker continues despite the pause")
            alone = _measure_upload_wait()
            yield {"P8": during_backfill / alone, "P9": stopped_s}


def _wait_for_work(run_id: UUID) -> None:
    """Wait until a worker has written another batch."""
    before = count_inputs(run_id)
    wait_until(lambda: count_inputs(run_id) > before, "no worker takes the run")


def _has_leases(run_id: UUID) -> bool:
    from reprocess.models import ReprocessItem

    return ReprocessItem.objects.filter(run_id=run_id, lease_token__isnull=False).exists()


def _measure_upload_wait() -> float:
    """Upload a small file and return the seconds until its first stage starts. The result of the stage does not matter."""
    from heimdex.accounts.models import User
    from heimdex.storage import get_media_storage
    from videos.actions.uploads import VideoUpload, complete_upload, init_upload
    from videos.models import Job, Video

    owner = User.objects.get()
    video, _ = init_upload(owner, VideoUpload("film.mp4", "video/mp4", 4))
    get_media_storage().save(video.upload_key, b"film", "video/mp4")
    complete_upload(owner, video.pk)
    began = Video.objects.get(pk=video.pk).updated_at
    started = Job.objects.filter(video=video, started_at__isnull=False).order_by("position").values_list("started_at", flat=True)
    wait_until(started.exists, "no worker takes the upload")
    first = started[0]
    assert first is not None
    return (first - began).total_seconds()


GROUP = Group(
    (
        Goal(
            "P8",
            "an upload's wait for its first stage during a backfill of 10,000 scenes",
            "the same without a backfill",
            1.2,
            at_least=False,
        ),
        Goal("P9", "from pausing a run until its worker has stopped", "–", 5.0, unit="s", at_least=False),
    ),
    run_rounds,
)
